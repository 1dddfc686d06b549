-- What of a price counts against a buyer's budgets: all of it in their currency, nothing of it in another.
CREATE FUNCTION marketplace.counted_minor(b marketplace.buyer_counters, p_currency text, p_price bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN b.currency = p_currency THEN p_price ELSE 0 END $$;

-- The periods that an order's extras name for its buyer.
CREATE FUNCTION marketplace.buyer_starts(p_extra jsonb) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY[(p_extra #>> '{buyer,0}')::bigint, (p_extra #>> '{buyer,1}')::bigint,
                 (p_extra #>> '{buyer,2}')::bigint, (p_extra #>> '{buyer,3}')::bigint]
$$;

-- What of its buyer's limits keeps an order from one more lead at this price: NULL when nothing does, 'behind' when it
-- goes by older periods or another zone than his counters, else buyer_capped with what is reached.
CREATE FUNCTION marketplace.buyer_held_back(p_buyer uuid, p_currency text, p_price bigint, p_extra jsonb) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    b marketplace.buyer_counters;
    v_said text;
BEGIN
    SELECT * INTO b FROM marketplace.buyer_counters WHERE buyer_id = p_buyer;
    IF b.timezone IS DISTINCT FROM p_extra ->> 'zone' THEN
        RETURN 'behind';
    END IF;
    v_said := marketplace.reached(jsonb_populate_record(NULL::marketplace.order_counters, to_jsonb(b)), 0,
                                  marketplace.buyer_starts(p_extra), marketplace.counted_minor(b, p_currency, p_price));
    RETURN CASE v_said WHEN 'behind' THEN v_said ELSE 'buyer_capped","' || v_said END;
END $$;

-- Count one lead at this price for the buyer, or count nothing and say so, as count_sale does for an order.
CREATE FUNCTION marketplace.count_buyer(p_buyer uuid, p_currency text, p_price bigint, p_extra jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_starts bigint[] := marketplace.buyer_starts(p_extra);
BEGIN
    LOOP
        UPDATE marketplace.buyer_counters b
        SET total_leads = b.total_leads + 1,
            total_spend = b.total_spend + marketplace.counted_minor(b, p_currency, p_price)
        WHERE b.buyer_id = p_buyer AND b.timezone = p_extra ->> 'zone' AND b.starts = v_starts
          AND b.total_leads < b.leads_ceiling
          AND b.total_spend + marketplace.counted_minor(b, p_currency, p_price) <= b.spend_ceiling;
        IF FOUND THEN
            RETURN true;
        END IF;
        UPDATE marketplace.buyer_counters b SET
            starts = v_starts,
            leads_before = marketplace.turned_over(b.leads_before, b.starts, v_starts, b.total_leads),
            spend_before = marketplace.turned_over(b.spend_before, b.starts, v_starts, b.total_spend),
            leads_ceiling = marketplace.ceiling(
                b.caps, marketplace.turned_over(b.leads_before, b.starts, v_starts, b.total_leads)),
            spend_ceiling = marketplace.ceiling(
                b.budgets, marketplace.turned_over(b.spend_before, b.starts, v_starts, b.total_spend))
        WHERE b.buyer_id = p_buyer AND b.timezone = p_extra ->> 'zone'
          AND b.starts <> v_starts AND NOT marketplace.is_later(b.starts, v_starts);
        IF NOT FOUND THEN
            RETURN false;
        END IF;
    END LOOP;
END $$;

-- Count a deal for those of its buyers who have limits, in the order of their ids, after all of its orders' counters and
-- before all wallets; false when one of them has no room.
CREATE FUNCTION marketplace.count_buyers(o marketplace.offer, d marketplace.deal, p_currency text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    n integer;
BEGIN
    IF o.extras IS NULL THEN
        RETURN true;
    END IF;
    FOREACH n IN ARRAY CASE WHEN d.picked[2] IS NULL THEN d.picked
                            ELSE marketplace.in_lock_order(d.picked, o.buyers) END LOOP
        IF o.extras -> (n - 1) ? 'buyer'
           AND NOT marketplace.count_buyer(o.buyers[n], p_currency, o.prices[n], o.extras -> (n - 1)) THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END $$;

-- Take a sale that came to nothing out of the counters of its order, and of its buyer if he has limits: of the totals,
-- and of each period that it was counted in; where a later period has begun since, that one began with one sale less.
-- Of the counters it reads nothing but the row that it changes: who waited for another's count computes from that one's
-- outcome, which a join of the row with itself would not see.
CREATE OR REPLACE FUNCTION marketplace.uncount_sale(p_order uuid, p_price bigint, p_sold_at timestamptz) RETURNS void
LANGUAGE sql AS $$
    UPDATE marketplace.order_counters o SET
        total_leads = o.total_leads - 1, total_spend = o.total_spend - p_price,
        leads_before = marketplace.without_sale(o.leads_before, o.starts, 1, p_sold_at),
        spend_before = marketplace.without_sale(o.spend_before, o.starts, p_price, p_sold_at),
        leads_ceiling = marketplace.ceiling(
            o.caps, marketplace.without_sale(o.leads_before, o.starts, 1, p_sold_at)),
        spend_ceiling = marketplace.ceiling(
            o.budgets, marketplace.without_sale(o.spend_before, o.starts, p_price, p_sold_at))
    WHERE o.order_id = p_order;
    UPDATE marketplace.buyer_counters b SET
        total_leads = b.total_leads - 1,
        total_spend = b.total_spend - marketplace.counted_minor(b, r.terms ->> 'currency', p_price),
        leads_before = marketplace.without_sale(b.leads_before, b.starts, 1, p_sold_at),
        spend_before = marketplace.without_sale(
            b.spend_before, b.starts, marketplace.counted_minor(b, r.terms ->> 'currency', p_price), p_sold_at),
        leads_ceiling = marketplace.ceiling(
            b.caps, marketplace.without_sale(b.leads_before, b.starts, 1, p_sold_at)),
        spend_ceiling = marketplace.ceiling(b.budgets, marketplace.without_sale(
            b.spend_before, b.starts, marketplace.counted_minor(b, r.terms ->> 'currency', p_price), p_sold_at))
    FROM marketplace.orders r
    WHERE r.id = p_order AND b.buyer_id = r.buyer_id AND b.timezone IS NOT NULL;
$$;

-- What becomes of one candidate if nobody is picked before it: sold, below_min, behind, no_funds, or capped or
-- buyer_capped with what is reached: capped","day cap 50 of 50.
CREATE OR REPLACE FUNCTION marketplace.tried(
    p_order uuid, p_version integer, p_starts bigint[], p_buyer uuid, p_currency text, p_price bigint,
    p_is_enough boolean, p_extra jsonb) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_said text;
BEGIN
    SELECT CASE WHEN p_is_enough THEN coalesce(
               CASE WHEN NOT marketplace.has_room(o, p_version, p_starts, p_price)
                   THEN marketplace.reached(o, p_version, p_starts, p_price) END,
               CASE WHEN p_extra IS NOT NULL THEN marketplace.held_back(o, p_starts, p_price, p_extra) END,
               CASE WHEN p_extra ? 'buyer'
                   THEN marketplace.buyer_held_back(p_buyer, p_currency, p_price, p_extra) END,
               CASE WHEN f.minor >= p_price THEN 'sold' ELSE 'no_funds' END)
           ELSE 'below_min' END
    INTO v_said
    FROM marketplace.order_counters o LEFT JOIN billing.spendable(p_buyer, p_currency) AS f (minor) ON true
    WHERE o.order_id = p_order;
    IF v_said IN ('sold', 'no_funds', 'below_min', 'behind') OR starts_with(v_said, 'buyer_capped') THEN
        RETURN v_said;
    END IF;
    RETURN concat('capped","', v_said);
END $$;
