-- By a rule other than the price only those are offered who come first by what this process last knew. The bound says
-- whom nobody else can come before, and what the others may pay at most; NULL where all who want the lead are offered:
--   key                 [a rank as a fraction, two numbers, minus the price, the last purchase, the order]
--   alone, shared       the most that one of them pays who buys alone, or who shares; 0 when there is none
ALTER TYPE marketplace.offer ADD ATTRIBUTE bound jsonb;
