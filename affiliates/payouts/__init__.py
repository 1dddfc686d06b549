"""Who is paid, when, how much and where: schedules, thresholds, first payouts, and runs that draft from balances."""
