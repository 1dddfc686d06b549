-- Keep a lead from the moment on in which it is unsold, or sold with a consent to resale; the latter is looked at first
-- when it is aged. One that falls back to unsold is looked at now.
-- Whoever stores a lead keeps it: a trigger's condition is read anew, from text, for each lead that nobody keeps.
CREATE FUNCTION marketplace.keep(l marketplace.leads) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO marketplace.kept_leads AS k
        (lead_id, publisher_id, source_name, vertical_id, country, received_at, state, due_at)
    VALUES (l.id, l.publisher_id, l.source_name, l.vertical_id, split_part(l.region, '-', 1), l.received_at,
            'open', l.received_at + CASE l.status WHEN 'unsold' THEN interval '0' ELSE interval '1 day' END)
    ON CONFLICT (lead_id) DO UPDATE SET due_at = excluded.due_at WHERE k.state = 'open' AND l.status = 'unsold';
END $$;
CREATE OR REPLACE FUNCTION marketplace.keep_lead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM marketplace.keep(NEW);
    RETURN NULL;
END $$;
DROP TRIGGER leads_kept ON marketplace.leads;

-- Store the lead as it was judged, with the story of the decision, the events of the lead and its sales, and the news
-- for all concerned. A lead whose buyers have all yet to accept in the hands of the caller is pending, which is no news.
CREATE OR REPLACE FUNCTION marketplace.store_lead(
    l marketplace.leads, o marketplace.offer, d marketplace.deal, p_actor text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_accounts uuid[] := ARRAY[l.publisher_id];
    v_moves text[];
    v_in_hand boolean := false;
BEGIN
    IF cardinality(o.leases) > 0 AND l.status = 'sold' THEN
        v_in_hand := NOT EXISTS (SELECT FROM unnest(d.picked) AS n WHERE o.leases[n] IS NULL);
        l.status := CASE WHEN v_in_hand THEN 'pending' ELSE 'sold' END;
    END IF;
    v_moves := ARRAY['received>' || l.status];
    l.decision := concat('{"book":', o.book_version, ',"outcome":"', d.outcome, '","tried":[',
                         array_to_string(marketplace.as_kept(d.tried), ','), ']}');
    IF l.status = 'sold' OR v_in_hand THEN
        FOR i IN 1 .. cardinality(d.picked) LOOP
            v_accounts := v_accounts || o.buyers[d.picked[i]];
            v_moves := v_moves || CASE WHEN o.later[d.picked[i]] THEN 'new>held' ELSE 'new>delivered' END;
        END LOOP;
    END IF;
    INSERT INTO marketplace.leads SELECT l.*;
    IF marketplace.is_kept(l.status, l.test, l.details) THEN
        PERFORM marketplace.keep(l);
    END IF;
    INSERT INTO marketplace.events (subject_id, at, move, actor, why)
    SELECT u, l.received_at, v_move, p_actor,
           CASE u WHEN l.id THEN nullif(array_to_string(l.reasons, ','), '') END
    FROM (SELECT unnest(l.id || d.sale_ids) AS u, unnest(v_moves) AS v_move) AS subject;
    IF NOT v_in_hand THEN
        PERFORM core.announce('notice', jsonb_build_object(
            'event', 'lead.' || l.status, 'at', l.received_at, 'accounts', v_accounts,
            'data', jsonb_build_object('lead', l.id, 'reasons', l.reasons)));
    END IF;
END $$;
