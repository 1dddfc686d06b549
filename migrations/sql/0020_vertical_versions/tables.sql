-- Every definition that a vertical ever had, from the version of its book on from which it held. A lead's decision
-- names the book that it was judged by, so the definition that judged it is the last one up to that book.
CREATE TABLE marketplace.vertical_versions (
    vertical_id smallint NOT NULL REFERENCES marketplace.verticals,
    book_version bigint NOT NULL,
    definition jsonb NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (vertical_id, book_version)
);

-- What stood here before this migration is the oldest that is known.
INSERT INTO marketplace.vertical_versions (vertical_id, book_version, definition, actor, at)
SELECT id, 1, definition, 'system', changed_at FROM marketplace.verticals;

-- Who changes a vertical says so in leadbourse.actor, for the transaction.
CREATE FUNCTION marketplace.keep_vertical_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.definition = OLD.definition THEN
            RETURN NULL;
        END IF;
        IF NEW.book_version <= OLD.book_version THEN
            RAISE EXCEPTION 'the definition of vertical % changed without a newer book', NEW.slug
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    INSERT INTO marketplace.vertical_versions (vertical_id, book_version, definition, actor, at)
    VALUES (NEW.id, NEW.book_version, NEW.definition,
        coalesce(nullif(current_setting('leadbourse.actor', true), ''), 'system'), NEW.changed_at);
    RETURN NULL;
END $$;

CREATE TRIGGER keep_vertical_version AFTER INSERT OR UPDATE OF definition ON marketplace.verticals
    FOR EACH ROW EXECUTE FUNCTION marketplace.keep_vertical_version();

CREATE FUNCTION marketplace.refuse_vertical_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on marketplace.vertical_versions is refused: versions are only added to', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON marketplace.vertical_versions
    FOR EACH STATEMENT EXECUTE FUNCTION marketplace.refuse_vertical_change();
