"""Mail that comes back, as mail systems write it."""

STANDARD = """\
Return-Path: <>
From: MAILER-DAEMON@mx.example (Mail Delivery System)
To: leadbourse+{token}@localhost
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="B1"

--B1
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--B1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Arrival-Date: Sun, 22 Nov 2026 10:00:00 +0000

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 <{recipient}>: no such person here

--B1
Content-Type: message/rfc822

Subject: New lead

Action: failed
Status: 5.0.0
--B1--
"""

PLAIN = """\
From: Mail Delivery Subsystem <postmaster@old.example>
To: {to}
Subject: failure notice

Hi. This is the mail program at old.example.
<{recipient}>:
{says}

--- Below this line is a copy of the message.

Message-ID: <{token}@localhost>
Subject: 550 5.0.0 New lead
"""


def standard(token: str, recipient: str = "sales@crm.example", action: str = "failed", status: str = "5.1.1") -> bytes:
    """Write a report by RFC 3464."""
    return STANDARD.format(token=token, recipient=recipient, action=action, status=status).encode()


def plain(token: str, says: str, recipient: str = "sales@crm.example", to: str = "leadbourse@localhost") -> bytes:
    """Write what a mailer daemon says in its own words, above a copy of our mail."""
    return PLAIN.format(token=token, says=says, recipient=recipient, to=to).encode()
