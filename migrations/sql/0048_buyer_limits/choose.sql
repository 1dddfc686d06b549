DROP FUNCTION marketplace.still;
DROP FUNCTION marketplace.best_of;

-- Choose among the candidates from p_first to p_end. By the rule best_price they come with the best price first, so that
-- only the tiers that are needed are looked at; by any other rule those are looked at, in the order of their turns, who
-- come before the bound. Where ladders say prices, all that are offered rank by what they pay now and are looked at, so
-- that each is told its price.
CREATE OR REPLACE FUNCTION marketplace.choose_among(
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
    v_below bigint[] := marketplace.not_offered(o, p_first, p_end);
    v_is_laddered boolean := coalesce(o.extras @? '$[*].ladder', false);
    v_top bigint[] := CASE WHEN r.rule <> 'best_price' THEN marketplace.most_of(o, p_first, p_end, v_below) END;
    n integer;
BEGIN
    o.prices := CASE WHEN v_is_laddered THEN marketplace.prices_now(o) ELSE o.prices END;
    WHILE v_last < p_end AND NOT v_settled LOOP
        v_first := v_last + 1;
        v_last := CASE WHEN r.rule = 'best_price' AND NOT v_is_laddered THEN v_first ELSE p_end END;
        WHILE v_last < p_end AND o.prices[v_last + 1] = o.prices[v_first] LOOP
            v_last := v_last + 1;
        END LOOP;
        FOREACH n IN ARRAY CASE WHEN v_first = v_last AND o.bound IS NULL THEN ARRAY[v_first]
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
                o, r, v_able, marketplace.unseen(o, p_first - 1 + cardinality(v_seen), v_last, p_end, v_top, v_below));
            EXIT WHEN v_settled;
        END LOOP;
    END LOOP;
    IF NOT v_settled THEN
        SELECT * INTO v_picked, v_settled FROM marketplace.best_of(
            o, r, v_able, marketplace.unseen(o, p_first - 1 + cardinality(v_seen), v_last, p_end, v_top, v_below));
    END IF;
    RETURN ROW(CASE WHEN NOT v_settled THEN 'more' WHEN v_picked <> '{}' THEN 'sold' ELSE 'unsold' END,
               v_picked, '{}', marketplace.told(o, r, v_seen, v_said, v_picked), '',
               CASE WHEN v_is_laddered THEN o.prices END)::marketplace.deal;
END $$;

-- The most that anybody who was not offered may pay, of those who buy alone and of those who share: 0 when there is none.
CREATE FUNCTION marketplace.not_offered(o marketplace.offer, p_first integer, p_end integer) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE
        WHEN o.is_last OR p_first <= coalesce(o.deals, 0) THEN '{0,0}'::bigint[]
        WHEN p_first > p_end THEN '{9000000000000000,9000000000000000}'::bigint[]
        WHEN o.bound IS NOT NULL THEN ARRAY[(o.bound ->> 'alone')::bigint, (o.bound ->> 'shared')::bigint]
        ELSE ARRAY[o.prices[p_end], o.prices[p_end]] END;
END $$;

-- Likewise of all who want the lead, offered or not, for rules by which anybody may be next.
CREATE FUNCTION marketplace.most_of(o marketplace.offer, p_first integer, p_end integer, p_below bigint[])
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN (
        SELECT ARRAY[greatest(p_below[1], max(price) FILTER (WHERE share = 1)),
                     greatest(p_below[2], max(price) FILTER (WHERE share > 1))]
        FROM unnest(o.prices[p_first:p_end], o.shares[p_first:p_end]) AS one (price, share));
END $$;

-- Likewise of those who were not looked at when all up to `p_reached` have been, of whom the last stands in the tier that
-- ends at `p_last`; `p_top` is the most of all by a rule that does not go by price, `p_below` of those not offered.
CREATE FUNCTION marketplace.unseen(
    o marketplace.offer, p_reached integer, p_last integer, p_end integer, p_top bigint[], p_below bigint[])
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE WHEN p_reached >= p_end THEN p_below
                WHEN p_top IS NOT NULL THEN p_top
                WHEN p_reached < p_last THEN ARRAY[o.prices[p_last], o.prices[p_last]]
                ELSE ARRAY[o.prices[p_last + 1], o.prices[p_last + 1]] END;
END $$;

-- The best that those who can buy, in the order of their ranks, make of a lead, and whether nobody who was not looked at,
-- paying up to p_unseen (alone, shared; 0: there is none), changes that. One buyer alone is the first exclusive one.
-- Several are, for each number k, the first k of different buyers who share with k or more; the number that pays most
-- counts, the smaller one of equals, and one buyer alone before several.
CREATE FUNCTION marketplace.best_of(
    o marketplace.offer, r marketplace.rules, p_able integer[], p_unseen bigint[],
    OUT picked integer[], OUT settled boolean) LANGUAGE plpgsql IMMUTABLE AS $$
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
                v_open := greatest(v_open, CASE WHEN p_unseen[2] > 0
                                           THEN s.value + (k - cardinality(s.members)) * p_unseen[2] END);
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
    settled := marketplace.is_settled(
        r.contest, v_value, v_alone, picked[1], p_unseen, CASE WHEN v_open > 0 THEN least(v_open, o.together) ELSE 0 END,
        o.shares[picked[1]]);
END $$;

-- Does nobody unseen change what is picked, the first of whom is `p_picked` and shares with `p_share`? `p_value` is what
-- they pay, `p_alone` the first who buys alone, `p_open` the most that several may still come to.
CREATE FUNCTION marketplace.is_settled(
    p_contest text, p_value bigint, p_alone integer, p_picked integer, p_unseen bigint[], p_open bigint,
    p_share integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_is_alone_open boolean := p_alone IS NULL AND p_unseen[1] > 0;
    v_is_alone boolean := coalesce(p_alone = p_picked, false);  -- who then wins at the same value
    v_are_sets_done boolean := p_open = 0 OR p_value > p_open - CASE WHEN v_is_alone THEN 1 ELSE 0 END;
BEGIN
    RETURN CASE p_contest
        WHEN 'total_value' THEN v_are_sets_done AND (NOT v_is_alone_open OR p_value > p_unseen[1])
        WHEN 'shared' THEN v_are_sets_done AND coalesce(p_share, 0) > 1 OR p_unseen[2] = 0 AND NOT v_is_alone_open
        WHEN 'shared_only' THEN v_are_sets_done
        WHEN 'first' THEN p_picked IS NOT NULL AND v_are_sets_done OR p_unseen = '{0,0}'
        WHEN 'exclusive' THEN p_unseen[1] = 0 AND v_are_sets_done
        ELSE p_unseen[1] = 0 END;
END $$;

-- The candidates from p_first to p_last in the order of their turn by the rule, those that rank equally by who has gone
-- longest without a purchase, then by id. Whoever has no priority or target share comes last. Those who do not come
-- before the bound are left out: somebody who was not offered may come before them.
CREATE OR REPLACE FUNCTION marketplace.turns(o marketplace.offer, p_rule text, p_first integer, p_last integer)
RETURNS integer[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    b jsonb := CASE WHEN p_first > coalesce(o.deals, 0) THEN o.bound -> 'key' END;
    v_rank numeric := (b ->> 0)::numeric / (b ->> 1)::numeric;
    v_price bigint := (b ->> 2)::bigint;
    v_sold timestamptz := coalesce((b ->> 3)::timestamptz, '-infinity');
    v_order uuid := (b ->> 4)::uuid;
BEGIN
    RETURN ARRAY(
        SELECT n FROM generate_series(p_first, p_last) AS n
        LEFT JOIN marketplace.order_counters k ON k.order_id = o.orders[n],
        LATERAL (SELECT coalesce(CASE WHEN p_rule IN ('priority', 'tiers') THEN o.ranks[n]::numeric
                                      WHEN p_rule = 'weighted'
                                          THEN greatest(k.total_leads - k.weighed_from, 0)::numeric / o.ranks[n]
                                      ELSE 0 END, 9223372036854775807) AS rank,
                        CASE WHEN p_rule IN ('best_price', 'tiers') THEN -o.prices[n] ELSE 0 END AS price,
                        coalesce(k.last_sold_at, '-infinity') AS sold) AS turn
        WHERE b IS NULL OR (turn.rank, turn.price, turn.sold, o.orders[n]) < (v_rank, v_price, v_sold, v_order)
        ORDER BY turn.rank, turn.price, turn.sold, o.orders[n]);
END $$;
