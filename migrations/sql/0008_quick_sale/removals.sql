-- The functions of 0004 and what they alone used, before they are written anew for fewer statements and smaller rows.
DROP FUNCTION marketplace.post_lead, marketplace.turned_back, marketplace.store_lead, marketplace.store_sales,
    marketplace.sell, marketplace.apply_set, marketplace.in_lock_order, marketplace.is_claimed, marketplace.claim_person,
    marketplace.has_buyer, marketplace.turns, marketplace.choose, marketplace.count_sale, marketplace.reached,
    marketplace.limit_reached, marketplace.is_behind, marketplace.has_room;
DROP TYPE marketplace.sender, marketplace.rules, marketplace.deal;
