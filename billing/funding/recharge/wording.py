"""The sentences that a wallet's log says of its automatic top-ups. Pure."""

WHY = {
    "off": "Automatic top-up was switched off.",
    "paused": "It is paused.",
    "other_card": "Another card is to be charged.",
    "card_removed": "The card was removed.",
    "refunded": "Money was sent back to a card.",
    "enough": "Enough is in the wallet by now.",
    "waiting": "The card was declined, and is left alone for a while.",
    "too_many_tries": "Its cards were declined too often within a day, so none is tried for now, resumed or not.",
    "owes": "What came in today paid what was due, and something still is. The card is charged again from midnight UTC "
    "on; pay more yourself, or wait.",
    "suspended": "The wallet is suspended, so its card is not charged. Ask the exchange's operator.",
    "charged_back": "A payment was taken back through the bank, so no card is charged until that has ended well.",
    "no_card": "No saved card is there to be charged. Save one.",
    "card_expired": "The saved card has expired. Save another one.",
    "daily_limit": "What may be charged today is used up. More is charged from midnight UTC on.",
    "new_card_limit": "A new card may pay no more for now.",
    "not_sent": "The card processor never got the charge. It is ordered again when it is due.",
    "authentication_required": "The card's bank wants you to confirm the payment. Pay the amount on the payment page.",
}
