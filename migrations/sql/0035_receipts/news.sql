-- The processor's news holds people's names and addresses: its text is erased some time after it was handled.
ALTER TABLE billing.card_news ALTER COLUMN raw DROP NOT NULL;
ALTER TABLE billing.card_news ADD CONSTRAINT card_news_raw_check CHECK (raw IS NOT NULL OR handled_at IS NOT NULL);
CREATE INDEX card_news_raw_idx ON billing.card_news (handled_at) WHERE raw IS NOT NULL AND handled_at IS NOT NULL;
