-- Settle at most p_limit delivered sales whose release has come, the oldest first; return how many. Sales that another
-- call works on are passed over, so several workers share the work.
-- What a dispute credited is released, the rest captured; payout and reserve of the sale are those of the rest. A hold
-- that was resolved just so before the sale knew of it is settled all the same. Any other answer of the ledger raises
-- LB010, which undoes the batch. The ledger comes last: sales to the same buyers wait for its locks until the commit.
CREATE FUNCTION marketplace.settle_due(p_as_of timestamptz, p_limit integer, p_actor text) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_requests billing.hold_request[];
    v_news jsonb[];
    v_stuck text;
BEGIN
    -- Days of the reserve are 24 hours each, whatever zone the session has: a repeat must name the same instant.
    SELECT array_agg(ROW(d.id, d.price_minor - d.credited_minor, d.publisher_id, d.payout_minor, d.reserve_minor,
                         d.release_at + make_interval(hours => 24 * d.reserve_days), 'settled')::billing.hold_request),
           array_agg(jsonb_build_object('event', 'sale.settled', 'at', p_as_of,
                                        'accounts', ARRAY[d.publisher_id, d.buyer_id],
                                        'data', jsonb_build_object('sale', d.id)))
    INTO v_requests, v_news
    FROM (SELECT * FROM marketplace.sales s WHERE s.state = 'delivered' AND s.release_at <= p_as_of
          ORDER BY s.release_at LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED) d;
    IF v_requests IS NULL THEN
        RETURN 0;
    END IF;
    UPDATE marketplace.sales s SET state = 'settled', ended_at = p_as_of
    FROM unnest(v_requests) r WHERE s.id = r.hold_id;
    INSERT INTO marketplace.events (subject_id, at, move, actor)
    SELECT r.hold_id, p_as_of, 'delivered>settled', p_actor FROM unnest(v_requests) r;
    PERFORM core.announce_all('notice', v_news);
    SELECT string_agg(o.hold_id || ' ' || o.state, ', ') INTO v_stuck
    FROM billing.resolve_holds(v_requests, p_actor, p_as_of) o WHERE o.state NOT IN ('resolved', 'repeated');
    IF v_stuck IS NOT NULL THEN
        RAISE EXCEPTION 'the ledger refused to settle %', v_stuck USING ERRCODE = 'LB010';
    END IF;
    RETURN cardinality(v_requests);
END $$;
