"""The ground floor: database, time, money, errors, HTTP and jobs, without one word of the business."""
