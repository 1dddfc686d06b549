"""The sentences that a wallet's log says of its automatic top-ups. Pure."""

WHY = {
    "suspended": "The wallet is suspended, so its card is not charged. Ask the exchange's operator.",
    "charged_back": "A payment was taken back through the bank, so no card is charged until that has ended well.",
    "no_card": "No saved card is there to be charged. Save one.",
    "card_expired": "The saved card has expired. Save another one.",
    "daily_limit": "What may be charged today is used up. More is charged from midnight UTC on.",
    "new_card_limit": "A new card may pay no more for now.",
    "not_sent": "The card processor never got the charge. It is ordered again when it is due.",
    "authentication_required": "The card's bank wants you to confirm the payment. Pay the amount on the payment page.",
}
