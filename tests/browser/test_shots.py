import pytest
from tests.browser.conftest import Look
def test_shots(chromium, site, people, app):
    import dataclasses
    app.extensions["leadbourse_settings"]=dataclasses.replace(app.extensions["leadbourse_settings"], show_design=True)
    for width, scheme in ((1440,"light"),(1440,"dark"),(360,"light"),(360,"dark")):
        for who, paths in {None:["/","/login","/register","/design","/nothing"],"publisher":["/publisher/today","/account"],"buyer":["/buyer/wallet"],"operator":["/design"]}.items():
            context = chromium.new_context(viewport={"width":width,"height":900}, color_scheme=scheme)
            look=Look(context.new_page(), site)
            if who: look.sign_in(people[who])
            for path in paths:
                look.at(path)
                look.page.screenshot(path=f"/tmp/shots/{who}{path.replace('/','_')}-{width}-{scheme}.png", full_page=True)
                over = look.page.evaluate("document.documentElement.scrollWidth - innerWidth")
                if over>0: print("OVERFLOW", width, who, path, over)
            print(width, scheme, who, set(look.wrong))
            context.close()
