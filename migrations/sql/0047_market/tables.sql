-- Which UTC days of the market are counted, and when last: whoever counts a day claims its row first.
CREATE TABLE marketplace.market_counts (
    day date CONSTRAINT market_counts_pkey PRIMARY KEY,
    counted_at timestamptz NOT NULL
);

-- What a day's leads came to in a vertical and a region: each region, each that holds it, and * for everywhere. `alone` and
-- `shared` say for how many leads which price is the least at which one order more would have bought: one that buys alone,
-- and one that shares; `cycle` after how many whole days since the lead came the sales that were settled that day were.
-- `own_buyers` bought leads that name this region and no part of it.
CREATE TABLE marketplace.market_days (
    vertical_id smallint NOT NULL CONSTRAINT market_days_vertical_id_fkey REFERENCES marketplace.verticals,
    region text NOT NULL,
    day date NOT NULL,
    offered integer NOT NULL,
    sold integer NOT NULL,
    sales integer NOT NULL,
    value_minor bigint NOT NULL,
    buyers uuid[] NOT NULL,
    own_buyers uuid[] NOT NULL,
    last_price_minor bigint,
    last_sold_at timestamptz,
    alone jsonb NOT NULL,
    shared jsonb NOT NULL,
    cycle jsonb NOT NULL,
    CONSTRAINT market_days_pkey PRIMARY KEY (vertical_id, region, day),
    CONSTRAINT market_days_check CHECK (
        sold BETWEEN 0 AND offered AND sales >= sold AND value_minor >= sales
        AND (sales = 0) = (last_price_minor IS NULL) AND (sales = 0) = (last_sold_at IS NULL)
        AND (sales = 0) = (buyers = '{}') AND own_buyers <@ buyers)
);

-- What became of the leads of a day for which an order was tried, by the stored decisions: how many came out how, for how
-- many which price would have won, and which buyers had those.
CREATE TABLE marketplace.order_days (
    order_id uuid NOT NULL CONSTRAINT order_days_order_id_fkey REFERENCES marketplace.orders,
    day date NOT NULL,
    outcomes jsonb NOT NULL,
    prices jsonb NOT NULL,
    winners uuid[] NOT NULL,
    CONSTRAINT order_days_pkey PRIMARY KEY (order_id, day)
);
CREATE INDEX order_days_day_idx ON marketplace.order_days (day);

-- The orders that could have bought in a region when they were last looked at that day: how many, of how many buyers, and
-- by steps of their price, of which each holds enough buyers to hide who they are. Not `told` where the difference to a
-- region that holds this one would show too few.
CREATE TABLE marketplace.market_depths (
    vertical_id smallint NOT NULL CONSTRAINT market_depths_vertical_id_fkey REFERENCES marketplace.verticals,
    region text NOT NULL,
    day date NOT NULL,
    looked_at timestamptz NOT NULL,
    orders integer NOT NULL,
    buyers integer NOT NULL,
    steps jsonb NOT NULL,
    told boolean NOT NULL,
    CONSTRAINT market_depths_pkey PRIMARY KEY (vertical_id, region, day),
    CONSTRAINT market_depths_check CHECK (orders >= buyers AND buyers >= 0)
);

-- How the sales of a source ended of late, under its public codes; not counted yet while `counted_at` is NULL.
CREATE TABLE marketplace.source_qualities (
    publisher_id uuid NOT NULL,
    source_name text NOT NULL,
    publisher_code text NOT NULL,
    source_code text NOT NULL CONSTRAINT source_qualities_source_code_key UNIQUE,
    counted_at timestamptz,
    verticals smallint[] NOT NULL DEFAULT '{}',
    buyers integer NOT NULL DEFAULT 0,
    judged integer NOT NULL DEFAULT 0,
    returned integer NOT NULL DEFAULT 0,
    unreachable integer NOT NULL DEFAULT 0,
    reported integer NOT NULL DEFAULT 0,
    reached integer NOT NULL DEFAULT 0,
    won integer NOT NULL DEFAULT 0,
    CONSTRAINT source_qualities_pkey PRIMARY KEY (publisher_id, source_name),
    CONSTRAINT source_qualities_check CHECK (
        returned >= 0 AND unreachable >= 0 AND won >= 0 AND returned + unreachable <= judged
        AND won <= reached AND reached <= reported AND reported <= judged AND buyers BETWEEN 0 AND judged)
);
CREATE INDEX source_qualities_counted_at_idx ON marketplace.source_qualities (counted_at NULLS FIRST);
