-- The frozen yardstick of `leadbourse bench sale`: the least that an honest sale writes, in one plpgsql call.
-- Lead, sale, transaction, two entries under a deferred sum-to-zero trigger, outbox row, conditional wallet update.
-- Never change it: ratios against it are compared over the years.
DROP SCHEMA IF EXISTS reference CASCADE;
CREATE SCHEMA reference;
CREATE TABLE reference.wallets (id int PRIMARY KEY, available bigint NOT NULL CHECK (available >= 0), held bigint NOT NULL)
    WITH (fillfactor = 50);
CREATE TABLE reference.leads (id uuid PRIMARY KEY DEFAULT uuidv7(), publisher int NOT NULL, body jsonb NOT NULL,
    at timestamptz NOT NULL);
CREATE TABLE reference.sales (id uuid PRIMARY KEY DEFAULT uuidv7(), lead_id uuid NOT NULL, buyer int NOT NULL,
    price bigint NOT NULL, state text NOT NULL);
CREATE TABLE reference.transactions (id uuid PRIMARY KEY DEFAULT uuidv7(), key text NOT NULL UNIQUE, at timestamptz NOT NULL);
CREATE TABLE reference.entries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, transaction_id uuid NOT NULL,
    account text NOT NULL, amount bigint NOT NULL);
CREATE INDEX ON reference.entries (transaction_id);
CREATE TABLE reference.outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload jsonb NOT NULL);

CREATE FUNCTION reference.sum_is_zero() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(amount) FROM reference.entries WHERE transaction_id = NEW.transaction_id) <> 0 THEN
        RAISE EXCEPTION 'the entries of % do not sum to zero', NEW.transaction_id;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER sum_is_zero AFTER INSERT ON reference.entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION reference.sum_is_zero();

CREATE FUNCTION reference.sell(p_buyer int, p_price bigint, p_body jsonb) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    v_lead uuid; v_sale uuid; v_transaction uuid;
BEGIN
    INSERT INTO reference.leads (publisher, body, at) VALUES (1, p_body, now()) RETURNING id INTO v_lead;
    INSERT INTO reference.sales (lead_id, buyer, price, state) VALUES (v_lead, p_buyer, p_price, 'held')
        RETURNING id INTO v_sale;
    INSERT INTO reference.transactions (key, at) VALUES ('sale:' || v_sale, now()) RETURNING id INTO v_transaction;
    INSERT INTO reference.entries (transaction_id, account, amount)
        VALUES (v_transaction, 'wallet:available', p_price), (v_transaction, 'wallet:held', -p_price);
    INSERT INTO reference.outbox (payload) VALUES (jsonb_build_object('sale', v_sale));
    UPDATE reference.wallets SET available = available - p_price, held = held + p_price
        WHERE id = p_buyer AND available >= p_price;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no funds';
    END IF;
    RETURN v_sale;
END $$;
INSERT INTO reference.wallets SELECT i, 1000000000000, 0 FROM generate_series(1, 100) AS i;
