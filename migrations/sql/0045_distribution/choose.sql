DROP FUNCTION marketplace.choose;
DROP FUNCTION marketplace.told;
DROP FUNCTION marketplace.turns;

-- Choose the best feasible set from committed counters and balances, without a lock; marketplace/leads/auction.py is the
-- model. Deals come first: the best of them that can buy gets the lead alone, and nobody else is looked at.
CREATE FUNCTION marketplace.choose(o marketplace.offer, r marketplace.rules, t affiliates.publishers)
RETURNS marketplace.deal LANGUAGE plpgsql STABLE AS $$
DECLARE
    d marketplace.deal;
    v_tried text[];
    v_first marketplace.rules := r;
BEGIN
    IF coalesce(o.deals, 0) = 0 THEN
        RETURN marketplace.choose_among(o, r, t, 1, cardinality(o.orders));
    END IF;
    v_first.rule := 'best_price';
    v_first.contest := 'exclusive_only';
    d := marketplace.choose_among(o, v_first, t, 1, o.deals);
    IF d.outcome <> 'unsold' THEN
        RETURN d;
    END IF;
    v_tried := d.tried;
    d := marketplace.choose_among(o, r, t, o.deals + 1, cardinality(o.orders));
    d.tried := v_tried || d.tried;
    RETURN d;
END $$;

-- Choose among the candidates from p_first to p_end. By the rule best_price they come with the best price first, so that
-- only the tiers that are needed are looked at; any other rule is given all of them. Where ladders say prices, all that
-- are offered rank by what they pay now and are looked at, so that each is told its price.
CREATE FUNCTION marketplace.choose_among(
    o marketplace.offer, r marketplace.rules, t affiliates.publishers, p_first integer, p_end integer)
RETURNS marketplace.deal LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_able integer[] := '{}';  -- who could buy, in the order of the ranks
    v_seen integer[] := '{}';
    v_said text[] := '{}';
    v_word text;
    v_first integer;
    v_last integer := p_first - 1;
    v_picked integer[] := '{}';
    v_settled boolean := false;
    v_below bigint := CASE WHEN NOT o.is_last AND p_first > coalesce(o.deals, 0)  -- the most that others bid
                           THEN CASE WHEN p_first > p_end THEN 9000000000000000 ELSE o.prices[p_end] END END;
    v_is_laddered boolean := coalesce(o.extras @? '$[*].ladder', false);
    n integer;
BEGIN
    o.prices := CASE WHEN v_is_laddered THEN marketplace.prices_now(o) ELSE o.prices END;
    WHILE v_last < p_end AND NOT v_settled LOOP
        v_first := v_last + 1;
        v_last := CASE WHEN r.rule = 'best_price' AND NOT v_is_laddered THEN v_first ELSE p_end END;
        WHILE v_last < p_end AND o.prices[v_last + 1] = o.prices[v_first] LOOP
            v_last := v_last + 1;
        END LOOP;
        FOREACH n IN ARRAY CASE WHEN v_first = v_last THEN ARRAY[v_first]
                                ELSE marketplace.turns(o, r.rule, v_first, v_last) END LOOP
            v_word := marketplace.tried(o.orders[n], o.versions[n], o.starts[n * 4 - 3:n * 4], o.buyers[n], r.currency,
                o.prices[n], marketplace.paid(o.prices[n], t.share_bp, t.min_margin_minor, r.bands) >= r.min_payout
                    AND o.prices[n] >= coalesce(r.min_price, 0), o.extras -> (n - 1));
            IF v_word = 'behind' THEN
                RETURN ROW('behind', '{}', '{}', '{}', '', NULL)::marketplace.deal;
            END IF;
            v_seen := v_seen || n;
            v_said := v_said || v_word;
            CONTINUE WHEN v_word <> 'sold';
            v_able := v_able || n;
            CONTINUE WHEN v_is_laddered;
            SELECT * INTO v_picked, v_settled FROM marketplace.best_of(
                o, r, v_able, marketplace.still(o, r.rule = 'best_price', p_first, v_seen, v_last, p_end, v_below));
            EXIT WHEN v_settled;
        END LOOP;
    END LOOP;
    IF NOT v_settled THEN
        SELECT * INTO v_picked, v_settled FROM marketplace.best_of(o, r, v_able, v_below);
    END IF;
    RETURN ROW(CASE WHEN NOT v_settled THEN 'more' WHEN v_picked <> '{}' THEN 'sold' ELSE 'unsold' END,
               v_picked, '{}', marketplace.told(o, r, v_seen, v_said, v_picked), '',
               CASE WHEN v_is_laddered THEN o.prices END)::marketplace.deal;
END $$;

-- The most that a candidate who was not looked at can pay, NULL when there is none; nothing bounds it where the offered
-- do not stand by price. `p_seen` have been looked at, the last of them stands in the tier that ends at `p_last`, and
-- who comes after `p_end` bids `p_below` at most.
CREATE FUNCTION marketplace.still(
    o marketplace.offer, p_is_by_price boolean, p_first integer, p_seen integer[], p_last integer, p_end integer,
    p_below bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_reached integer := p_first - 1 + cardinality(p_seen);
BEGIN
    RETURN CASE WHEN v_reached >= p_end THEN p_below
                WHEN NOT p_is_by_price THEN 9000000000000000
                WHEN v_reached < p_last THEN o.prices[p_last]
                ELSE o.prices[p_last + 1] END;
END $$;

-- The best that those who can buy, in the order of their ranks, make of a lead, and whether nobody who was not looked at,
-- paying up to p_next, changes that. One buyer alone is the first exclusive one. Several are, for each number k, the first
-- k of different buyers who share with k or more; the number that pays most counts, the smaller one of equals, and one
-- buyer alone before several.
CREATE FUNCTION marketplace.best_of(
    o marketplace.offer, r marketplace.rules, p_able integer[], p_next bigint, OUT picked integer[], OUT settled boolean)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_alone integer;
    v_value bigint := 0;
    v_open bigint := 0;  -- the most that a set which is not full yet may come to
    s record;
BEGIN
    picked := '{}';
    SELECT n INTO v_alone FROM unnest(p_able) WITH ORDINALITY AS a (n, place) WHERE o.shares[n] = 1 ORDER BY place LIMIT 1;
    IF v_alone IS NOT NULL AND (r.contest IN ('exclusive', 'exclusive_only')
                                OR r.contest = 'first' AND v_alone = p_able[1]) THEN
        picked := ARRAY[v_alone];
        settled := true;
        RETURN;
    END IF;
    IF r.contest <> 'exclusive_only' THEN
        FOR k IN 1 .. CASE WHEN r.contest = 'first' THEN least(r.most_buyers, o.shares[p_able[1]])
                           ELSE r.most_buyers END LOOP
            s := marketplace.set_of(o, p_able, k);
            IF cardinality(s.members) < k THEN
                v_open := greatest(v_open, s.value + (k - cardinality(s.members)) * p_next);
            ELSIF s.value > v_value THEN
                picked := s.members;
                v_value := s.value;
            END IF;
        END LOOP;
    END IF;
    IF v_alone IS NOT NULL AND (r.contest = 'total_value' AND o.prices[v_alone] >= v_value
                                OR r.contest IN ('shared', 'first') AND picked = '{}') THEN
        picked := ARRAY[v_alone];
        v_value := o.prices[v_alone];
    END IF;
    v_open := least(v_open, o.together);
    settled := p_next IS NULL OR v_value > v_open - CASE v_alone WHEN picked[1] THEN 1 ELSE 0 END  -- who is alone wins at the same value

        AND CASE r.contest WHEN 'total_value' THEN v_alone IS NOT NULL OR v_value > p_next
                           WHEN 'shared' THEN o.shares[picked[1]] > 1
                           WHEN 'shared_only' THEN true WHEN 'first' THEN true ELSE false END;
END $$;

-- The first k of different buyers who share with k or more, fewer where there are no k, and what they pay in all.
CREATE FUNCTION marketplace.set_of(
    o marketplace.offer, p_able integer[], k integer, OUT members integer[], OUT value bigint)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    n integer;
BEGIN
    members := '{}';
    value := 0;
    FOREACH n IN ARRAY p_able LOOP
        IF o.shares[n] >= greatest(k, 2) AND NOT marketplace.has_buyer(o.buyers, members, o.buyers[n]) THEN
            members := members || n;
            value := value + o.prices[n];
            EXIT WHEN cardinality(members) = k;
        END IF;
    END LOOP;
END $$;

-- The story of each candidate that was looked at: what became of which version of its order, and what it would have
-- paid where a ladder says that.
CREATE FUNCTION marketplace.told(
    o marketplace.offer, r marketplace.rules, p_seen integer[], p_said text[], p_picked integer[]) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_told text[] := '{}';
    v_word text;
    n integer;
BEGIN
    FOR i IN 1 .. cardinality(p_seen) LOOP
        n := p_seen[i];
        v_word := CASE
            WHEN p_said[i] <> 'sold' OR n = ANY (p_picked) THEN p_said[i]
            WHEN r.contest = CASE o.shares[n] WHEN 1 THEN 'shared_only' ELSE 'exclusive_only' END THEN 'other_way'
            WHEN o.shares[n] = 1 OR o.shares[p_picked[1]] = 1 OR marketplace.has_buyer(o.buyers, p_picked, o.buyers[n])
                THEN 'outbid'
            ELSE 'share_full' END;
        v_told := v_told || concat('["', o.orders[n], '",', o.versions[n], ',"', v_word, '"',
            CASE WHEN o.extras -> (n - 1) ? 'ladder' THEN ',' || o.prices[n] END, ']');
    END LOOP;
    RETURN v_told;
END $$;

-- The candidates from p_first to p_last in the order of their turn by the rule, those that rank equally by who has gone
-- longest without a purchase, then by id. Whoever has no priority or target share comes last.
CREATE FUNCTION marketplace.turns(o marketplace.offer, p_rule text, p_first integer, p_last integer) RETURNS integer[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT n FROM generate_series(p_first, p_last) AS n
        LEFT JOIN marketplace.order_counters k ON k.order_id = o.orders[n]
        ORDER BY CASE WHEN p_rule IN ('priority', 'tiers') THEN o.ranks[n] END,
                 CASE WHEN p_rule IN ('best_price', 'tiers') THEN -o.prices[n] END,
                 CASE WHEN p_rule = 'weighted' THEN greatest(k.total_leads - k.weighed_from, 0)::numeric / o.ranks[n] END,
                 k.last_sold_at NULLS FIRST, o.orders[n]);
END $$;
