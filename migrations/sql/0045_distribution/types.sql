-- How the candidates stand beside each other, for rules that do not go by price alone: each one's priority, or its
-- target share; NULL where the operator has said none, '{}' where neither counts.
ALTER TYPE marketplace.offer ADD ATTRIBUTE ranks bigint[];
-- The most that several buyers of this book could pay for a lead in all, whatever they want.
ALTER TYPE marketplace.offer ADD ATTRIBUTE together bigint;

-- What else an order says of its limits at this moment, an object a candidate; NULL when none says anything:
--   day, spend          the most leads, and the most money, of the present day up to now, with day_word, spend_word, which
--                       say what limits it (a cap of the weekday, or the pace)
--   ladder, of          prices by the number bought in a period, [[from, price], …] from the first, and which period: 1 is
--                       the hour, 5 in total
ALTER TYPE marketplace.offer ADD ATTRIBUTE extras jsonb;
-- How many of the first candidates are private deals with the publisher, served before all others.
ALTER TYPE marketplace.offer ADD ATTRIBUTE deals integer;
-- What each candidate pays now, where some of them have ladders; NULL: what was offered.
ALTER TYPE marketplace.deal ADD ATTRIBUTE prices bigint[];

-- How the vertical chooses who buys: how candidates rank, what decides between one buyer and several, the most buyers
-- that may share, and the platform's margin by bands of the price, three values a band: the price that it begins at, the
-- margin in basis points, and the margin in minor units (one of the two is NULL). NULL: the publisher's terms say it.
ALTER TYPE marketplace.rules ADD ATTRIBUTE rule text;
ALTER TYPE marketplace.rules ADD ATTRIBUTE contest text;
ALTER TYPE marketplace.rules ADD ATTRIBUTE most_buyers smallint;
ALTER TYPE marketplace.rules ADD ATTRIBUTE bands bigint[];
-- What a lead costs at least, whatever its publisher asks.
ALTER TYPE marketplace.rules ADD ATTRIBUTE min_price bigint;
