-- What somebody did, as against the system, in the order of time. Of the events of a sale none is in here: that a lead
-- was received and its sales were born stands in its own story, and would be nearly all of this index.
CREATE INDEX events_deeds_idx ON marketplace.events (at, id)
    WHERE actor NOT LIKE 'system%' AND move NOT LIKE 'received>%' AND move <> ALL ('{new>held,new>delivered}');
