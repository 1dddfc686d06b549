import re
from core.db import db
from tests.visitor import Visitor, words_of
def test_it(app, client, market, caplog):
    def go(c, method, path, **data):
        caplog.clear()
        r = c.send(path, **data) if method=="POST" else c.open(path); print(method, path, r.status_code, r.headers.get("Location"))
        if r.status_code >= 400 or caplog.records: print(caplog.text[-1800:], words_of(r)[-300:])
        if data: print(re.findall(r'class="(?:note|fault)[^>]*>([^<]*)',r.text))
        return r
    p = market.make_publisher(); b=market.make_buyer(); o=market.make_operator()
    market.make_order(b)
    for _ in range(3): p.post("/leads", market.lead())
    l=market.lead(); p.post("/leads",l); print(p.post("/leads", l)["reasons"])
    emails={k:v for v,k in db.session.execute(db.text("select email, kind from core.users u join core.memberships m on m.user_id=u.id join core.accounts a on a.id=m.account_id"))}
    db.session.rollback()
    for kind in emails:
        c=Visitor(app)
        go(c,"POST","/login",email=emails[kind],password="a good password")
        go(c,"GET","/start"); go(c,"GET","/account")
        for path in {"publisher":["/publisher/today","/publisher/today?sort=score&status=sold"],"buyer":["/buyer/wallet"],"operator":["/design"]}[kind]:
            r=go(c,"GET",path)
        if kind=="buyer":
            m=re.search(r'href="(/buyer/wallet/txn[^"]+)',r.text); go(c,"GET",m[1]); go(c,"GET","/publisher/today")
        for path in ("/change","/tf-setup","/mf-recovery-codes","/verify"): go(c,"GET",path)
    c=Visitor(app)
    go(c,"POST","/register",kind="publisher",account="Newcomer",email="new@example.com",password="long enough")
    go(c,"POST","/register",kind="publisher",account="Newcomer",email="new@example.com",password="long enough")
    go(c,"POST","/register",kind="operator",account="",email="new",password="l")
    go(c,"POST","/reset",email="new@example.com")
    go(c,"POST","/reset",email="nobody@example.com")
    go(c,"POST","/login",email="new@example.com", password="long enough")
    print(list(db.session.execute(db.text("select task_name, args from procrastinate_jobs where task_name='core.mail'"))))
    print(list(db.session.execute(db.text("select * from core.attempts"))))
