-- Lock whoever money of these holds may move between, in the order of the books: wallets, lots, earners, each by id.
-- Who refunds several holds in one database transaction locks them all at once before the first.
CREATE FUNCTION billing.lock_parties(p_holds uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM billing.wallets w
    WHERE (w.account_id, w.currency) IN (
        SELECT h.account_id, h.currency FROM billing.holds h WHERE h.id = ANY (p_holds))
    ORDER BY w.account_id, w.currency FOR NO KEY UPDATE;
    PERFORM FROM billing.reserve_lots l WHERE l.id = ANY (p_holds) ORDER BY l.id FOR NO KEY UPDATE;
    PERFORM FROM billing.earners e
    WHERE (e.account_id, e.currency) IN (
        SELECT v.earner_id, h.currency FROM billing.hold_resolutions v JOIN billing.holds h ON h.id = v.hold_id
        WHERE v.hold_id = ANY (p_holds) AND v.earner_id IS NOT NULL)
    ORDER BY e.account_id, e.currency FOR NO KEY UPDATE;
END $$;

-- Work out a refund of a captured hold whose parties are locked, or nothing when more is asked than is left of the
-- capture or of the share, or when the share left would be above the capture left. Promotional credit goes back as if
-- the hold had been released so far: a full refund restores exactly what was taken.
CREATE FUNCTION billing.refund_of(p_hold uuid, p_refund bigint, p_share bigint) RETURNS billing.refunds
STABLE LANGUAGE plpgsql AS $$
DECLARE
    r billing.refunds;
BEGIN
    SELECT h.id, p_refund,
           div(h.promo_minor::numeric * (v.released_minor + b.refunded + p_refund), h.amount_minor)
               - v.released_promo_minor - b.promo,
           p_share, least(p_share, coalesce(l.amount_minor, 0)), coalesce(e.payable, 0)
    INTO r.hold_id, r.refunded_minor, r.promo_minor, r.share_minor, r.from_reserve_minor, r.from_payable_minor
    FROM billing.hold_resolutions v
    JOIN billing.holds h ON h.id = v.hold_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(f.refunded_minor), 0) AS refunded, coalesce(sum(f.promo_minor), 0) AS promo,
               coalesce(sum(f.share_minor), 0) AS share
        FROM billing.refunds f WHERE f.hold_id = v.hold_id) b
    LEFT JOIN billing.reserve_lots l ON l.id = v.hold_id AND l.closed_at IS NULL
    LEFT JOIN billing.earners e ON (e.account_id, e.currency) = (v.earner_id, h.currency)
    WHERE v.hold_id = p_hold AND p_refund > 0 AND p_share >= 0
      AND v.captured_minor - b.refunded >= p_refund AND v.share_minor - b.share >= p_share
      AND v.captured_minor - b.refunded - p_refund >= v.share_minor - b.share - p_share;
    r.from_payable_minor := least(p_share - r.from_reserve_minor, r.from_payable_minor);
    r.owed_minor := p_share - r.from_reserve_minor - r.from_payable_minor;
    RETURN r;
END $$;

-- Give back a part of what a hold captured, or all, once per key: D income / C wallet; D the hold's own reserve lot,
-- then payable, then what the earner owes / C earner_share. A lot that is touched ends: what is left of it is payable.
-- 'committed', 'repeated', 'conflict', or 'excess' (nothing is booked, the key stays free).
CREATE FUNCTION billing.refund_capture(
    p_hold uuid, p_refund bigint, p_share bigint, p_key text, p_reason text, p_actor text, p_at timestamptz
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_fingerprint bytea := billing.fingerprint_of('refund', p_hold::text, p_refund::text, p_share::text);
    v_answer text := billing.answer_for_key(p_key, v_fingerprint);
    r billing.refunds;
BEGIN
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    END IF;
    PERFORM billing.lock_parties(ARRAY[p_hold]);
    r := billing.refund_of(p_hold, p_refund, p_share);
    IF r.hold_id IS NULL THEN
        RETURN 'excess';
    END IF;
    INSERT INTO billing.transactions (key, kind, currency, fingerprint, source, actor, reason, occurred_at)
    SELECT p_key, 'refund', h.currency, v_fingerprint, p_hold, p_actor, p_reason, p_at
    FROM billing.holds h WHERE h.id = p_hold RETURNING id INTO r.transaction_id;
    INSERT INTO billing.refunds SELECT r.*;
    PERFORM billing.book_refund(r, p_at);
    RETURN 'committed';
END $$;

CREATE FUNCTION billing.book_refund(r billing.refunds, p_at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_lot bigint := 0;
    h billing.holds;
    v_earner uuid;
BEGIN
    SELECT * INTO h FROM billing.holds WHERE id = r.hold_id;
    SELECT v.earner_id INTO v_earner FROM billing.hold_resolutions v WHERE v.hold_id = r.hold_id;
    IF r.from_reserve_minor > 0 THEN
        UPDATE billing.reserve_lots l SET closed_at = p_at WHERE l.id = r.hold_id RETURNING l.amount_minor INTO v_lot;
        INSERT INTO billing.lot_resolutions (lot_id, matured_minor, clawed_back_minor, transaction_id, resolved_at)
        VALUES (r.hold_id, v_lot - r.from_reserve_minor, r.from_reserve_minor, r.transaction_id, p_at);
    END IF;
    INSERT INTO billing.entries (transaction_id, line, account, sub_account, owner_id, currency, amount_minor)
    SELECT r.transaction_id, l.line, l.account, l.sub_account, l.owner_id, h.currency, l.amount_minor
    FROM (VALUES
        (1::smallint, 4000::smallint, h.kind, NULL::uuid, r.refunded_minor),
        (2, 2000, NULL, h.account_id, r.promo_minor - r.refunded_minor),
        (3, 2030, NULL, h.account_id, -r.promo_minor),
        (4, 5000, NULL, NULL, -r.share_minor),
        (5, 2110, NULL, v_earner, v_lot),
        (6, 2100, NULL, v_earner, r.from_payable_minor + r.from_reserve_minor - v_lot),
        (7, 1100, NULL, v_earner, r.owed_minor)
    ) AS l (line, account, sub_account, owner_id, amount_minor)
    WHERE l.amount_minor <> 0;
    UPDATE billing.wallets w
    SET available = w.available + r.refunded_minor - r.promo_minor, promo = w.promo + r.promo_minor
    WHERE (w.account_id, w.currency) = (h.account_id, h.currency);
    UPDATE billing.earners e
    SET reserve = e.reserve - v_lot, owed = e.owed + r.owed_minor,
        payable = e.payable - r.from_payable_minor - r.from_reserve_minor + v_lot
    WHERE (e.account_id, e.currency) = (v_earner, h.currency);
END $$;

-- What went back of each captured hold, for whoever proves his own records against the books.
CREATE FUNCTION billing.refunds_of_holds(OUT hold_id uuid, OUT refunded_minor bigint, OUT share_minor bigint)
RETURNS SETOF record LANGUAGE sql STABLE AS $$
    SELECT f.hold_id, sum(f.refunded_minor)::bigint, sum(f.share_minor)::bigint FROM billing.refunds f GROUP BY f.hold_id
$$;
