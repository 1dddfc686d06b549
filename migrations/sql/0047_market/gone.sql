DROP TABLE marketplace.source_qualities, marketplace.market_depths, marketplace.order_days, marketplace.market_days,
    marketplace.market_counts;
