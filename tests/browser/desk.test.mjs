// The web application as people use it, in a real browser, with JavaScript and without.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { PASSWORD, atDesk } from "./desk.mjs";

const HOSTILE = { value: `<script>alert("1")</script> {{ 7*7 }} 'x' &amp;`, label: `"><img src=x onerror=alert(2)> {{label}}` };
const LONG = [
  { value: "W".repeat(1000), label: "M".repeat(200) },
  { value: "two words ".repeat(99) + "😀", label: "👩‍👩‍👧‍👦🎟️".repeat(10) },
  { value: "كود-٤٢", label: "תווית ארוכה מאוד מימין לשמאל (עם סוגריים) 42!" },
];

for (const javaScript of [true, false]) {
  describe(javaScript ? "with JavaScript" : "without JavaScript", () => {
    let desk;
    let visitor;

    atDesk(javaScript, (opened) => ({ desk, visitor } = opened));

    it("signs in, and says when the password is wrong", async () => {
      const stranger = await desk.visitor();
      await stranger.open("/add");
      assert.equal(stranger.path(), "/login");
      await stranger.check("sign in");
      await stranger.signIn("admin", "wrong-password");
      await stranger.says("This name and password do not fit together.");
      assert.equal(await stranger.page.getByLabel("Name").inputValue(), "admin");
      assert.equal(await stranger.page.getByLabel("Password").inputValue(), "");
      await stranger.check("sign in again", 422);
      await stranger.signIn("admin", PASSWORD);
      assert.equal(stranger.path(), "/add", "on to where it wanted to go");
      await stranger.click("button", "Sign out");
      await stranger.says("You are signed out.");
      await stranger.check("signed out");
      await stranger.open("/");
      assert.equal(stranger.path(), "/login");
      await stranger.close();
    });

    it("tells what a token is while there is none", async () => {
      await visitor.open("/");
      await visitor.says("No tokens yet", "Add the first token");
      await visitor.check("empty list");
      await visitor.open("/deleted");
      await visitor.says("Nothing was deleted");
      await visitor.check("nothing deleted");
    });

    it("adds a token, and first says what is wrong with it", async () => {
      await desk.token({ value: "taken" });
      await visitor.open("/");
      await visitor.click("link", "Add token");
      await visitor.check("add");
      await visitor.fill("Value", "taken");
      await visitor.fill("Label", "Anna, locker");
      await visitor.fill("Valid from", "2026-11-30T08:00");
      await visitor.fill("Valid to", "2026-11-29T08:00");
      await visitor.fill("Lock after each use", "99999999999");
      await visitor.click("button", "Add token");
      await visitor.says("The token was not saved");
      await visitor.check("add with errors", 422);
      const listed = visitor.page.locator(".problems a");
      assert.ok((await listed.count()) >= 2, "every error is on top");
      for (const link of await listed.all()) {
        const field = visitor.page.locator(await link.getAttribute("href"));
        assert.equal(await field.getAttribute("aria-invalid"), "true");
        const described = (await field.getAttribute("aria-describedby")).split(" ");
        const beside = await visitor.page.locator(`#${described.find((id) => id.endsWith("-error"))}`).innerText();
        assert.ok(beside.includes(await link.innerText()), "the same words beside the field");
      }
      await listed.first().click();
      const target = (await listed.first().getAttribute("href")).slice(1);
      assert.equal(await visitor.page.evaluate(() => document.querySelector(":target")?.id), target);
      assert.equal(await visitor.page.getByLabel("Label").inputValue(), "Anna, locker", "what was typed is kept");
      assert.equal(await visitor.page.getByLabel("Valid from").inputValue(), "2026-11-30T08:00");
      await visitor.fill("Valid from", "");
      await visitor.fill("Valid to", "2999-11-30T08:00");
      await visitor.fill("Lock after each use", "0");
      // Only the database knows that a value is taken.
      await visitor.click("button", "Add token");
      await visitor.says("The token was not saved");
      await visitor.check("add with a value that is taken", 422);
      await visitor.fill("Value", "locker-1");
      await visitor.page.getByLabel("Uses", { exact: true }).fill("3");
      await visitor.click("button", "Add token");
      await visitor.says("The token is added.", "Anna, locker", "locker-1", "Active", "3 uses left");
      assert.ok(await visitor.page.getByRole("img", { name: "QR code that says locker-1" }).isVisible());
      await visitor.check("tile");
      await visitor.page.reload();
      // Without a script the address still has it.
      if (javaScript) assert.ok(!(await visitor.text()).includes("The token is added."), "it is told once");
    });

    it("edits a token", async () => {
      const tile = await desk.token({ value: "edit me", label: "before", usage_count: 5 });
      await visitor.open(tile);
      await visitor.click("link", "Edit");
      await visitor.check("edit");
      await visitor.fill("Label", "after");
      await visitor.fill("Valid to", "2999-01-01T12:30:15");
      await visitor.page.getByLabel("Uses left").fill("-5");
      await visitor.fill("Lock after each use", "90");
      await visitor.page.getByLabel("Unit of the lock").selectOption("minutes");
      // The browser itself refuses a number below zero.
      await visitor.page.getByRole("button", { name: "Save" }).click();
      assert.equal(await visitor.page.getByLabel("Uses left").evaluate((field) => field.validity.rangeUnderflow), true);
      await visitor.page.getByLabel("Uses left").fill("7");
      await visitor.click("button", "Save");
      await visitor.says("The token is saved.", "after", "7 uses left", "1 Jan 2999 12:30", "90 minutes");
      await visitor.check("tile with a lock");
      await visitor.click("link", "Edit");
      const uses = visitor.page.getByLabel("Uses left");
      await visitor.page.getByLabel("Unlimited").check();
      assert.equal(await uses.isDisabled(), javaScript);
      await visitor.click("button", "Save");
      await visitor.says("any number of uses");
      await visitor.click("link", "Edit");
      assert.equal(await visitor.page.getByLabel("Unlimited").isChecked(), true);
      await visitor.check("edit an unlimited one");
      await visitor.page.getByLabel("Unlimited").uncheck();
      await uses.fill("2");
      await visitor.click("button", "Save");
      await visitor.says("2 uses left");
    });

    it("uses a token once for one click or two, until it is used up", async () => {
      const tile = await desk.token({ usage_count: 3 });
      await visitor.open(tile);
      await visitor.says("It was never used, and nobody tried.");
      await visitor.click("button", "Use once");
      await visitor.says("The token is used once.", "2 uses left", "user:admin");
      await visitor.check("tile with history");
      await visitor.leads(() => visitor.page.getByRole("button", { name: "Use once" }).dblclick());
      await visitor.page.waitForLoadState();
      await visitor.open(tile);
      await visitor.says("1 use left");
      assert.equal(await visitor.page.locator(".outcome.used").count(), 2, "two clicks are one use");
      const late = await visitor.tab();
      await late.open(tile);
      await visitor.click("button", "Use once");
      await visitor.says("Used up");
      assert.equal(await visitor.page.getByRole("button", { name: "Use once" }).count(), 0);
      await visitor.check("tile used up");
      await late.click("button", "Use once");
      await late.says("It was not used: it was used up.", "Refused: it was used up");
      await late.check("tile refused");
      await late.page.close();
      late.silent();
    });

    it("shows every state", async () => {
      const locked = await desk.token({ usage_count: 5, lock_time: 600 });
      await visitor.open(locked);
      const late = await visitor.tab();
      await late.open(locked);
      await visitor.click("button", "Use once");
      await visitor.says("Locked", "free again at");
      await visitor.check("tile locked");
      await late.click("button", "Use once");
      await late.says("It was not used: it was locked.", "Locked", "Refused: it was locked");
      await late.page.close();
      late.silent();
      await visitor.open(await desk.token({ valid_from: "2999-01-01" }));
      await visitor.says("Not yet valid", "from 1 Jan 2999");
      await visitor.check("tile pending");
      await visitor.open(await desk.token({ valid_to: "2001-01-01" }));
      await visitor.says("Expired", "since 1 Jan 2001");
      await visitor.check("tile expired");
      await visitor.open("/");
      await visitor.check("list of every state");
    });

    it("deletes a token, undoes that, deletes it again, and restores it", async () => {
      const tile = await desk.token({ value: "delete me" });
      await visitor.open("/?q=delete+me");
      await visitor.click("link", "delete me");
      await visitor.click("link", "Delete");
      await visitor.says("Delete this token?", "delete me");
      await visitor.check("delete");
      await visitor.click("link", "Cancel");
      assert.equal(visitor.path(), tile);
      await visitor.click("link", "Delete");
      await visitor.click("button", "Delete token");
      await visitor.says("The token is deleted.");
      await visitor.check("list after a deletion");
      await visitor.click("button", "Undo");
      assert.equal(visitor.path(), tile);
      await visitor.says("The token is restored.", "Active");
      await visitor.click("link", "Delete");
      await visitor.click("button", "Delete token");
      await visitor.leads(() => visitor.page.goBack());
      await visitor.says("Nothing is here");
      await visitor.check("back to what was deleted", 404);
      await visitor.click("link", "Back to the tokens");
      await visitor.click("link", "Deleted");
      await visitor.says("delete me", "admin");
      await visitor.check("deleted");
      await visitor.click("button", "Restore delete me");
      await visitor.says("The token is restored.", "delete me");
      assert.equal(visitor.path(), tile);
    });

    it("searches, filters, sorts and turns pages", async () => {
      await desk.view("/add_tokens", { count: 120, usage_count: 1, lock_time: 0, valid_from: "", valid_to: "", label: "Guest {n:03}" });
      const rows = () => visitor.page.locator(".tokens tbody tr").count();
      const first = () => visitor.page.locator(".tokens .label").first().innerText();
      await visitor.open("/");
      await visitor.page.getByLabel("Search value, label or uid").fill("Guest");
      await visitor.click("button", "Find");
      await visitor.says("120 tokens");
      await visitor.page.getByLabel("Order").selectOption("label");
      await visitor.click("button", "Find");
      assert.deepEqual([await rows(), await first()], [50, "Guest 001"]);
      await visitor.check("first page");
      await visitor.click("link", "Next");
      assert.deepEqual([await rows(), await first()], [50, "Guest 051"]);
      await visitor.check("second page");
      await visitor.click("link", "Next");
      assert.deepEqual([await rows(), await first()], [20, "Guest 101"]);
      assert.equal(await visitor.page.getByRole("link", { name: "Next" }).count(), 0);
      await visitor.click("link", "Back");
      assert.equal(await first(), "Guest 051");
      await visitor.click("link", "Back");
      assert.equal(await first(), "Guest 001");
      await visitor.click("link", "Last");
      assert.deepEqual([await rows(), await first()], [50, "Guest 071"]);
      await visitor.click("link", "First");
      assert.equal(await first(), "Guest 001");
      await visitor.open("/?q=Guest&state=used_up&created_from=2001-01-01");
      await visitor.says("Nothing is found", "Without the search", "Without the state", "Without the first day");
      await visitor.check("nothing found");
      await visitor.click("link", "Without the state");
      await visitor.says("120 tokens");
      await visitor.click("link", "Show all tokens");
      await visitor.open("/?state=used_up");
      assert.ok((await visitor.page.locator(".tokens .badge").allInnerTexts()).every((badge) => badge === "Used up"));
      await visitor.open("/?state=nonsense");
      await visitor.says("This filter cannot be used");
      await visitor.check("a filter that cannot be used", 422);
    });

    it("changes the password and ends other sessions", async () => {
      desk.run(["user", "add", "berta", "--role", "admin", "--password-stdin"], `${PASSWORD}\n`);
      const [here, there] = [await desk.signedIn("berta"), await desk.signedIn("berta")];
      const change = async (now, password, again) => {
        await here.fill("Your password now", now);
        await here.page.getByLabel("The new one", { exact: true }).fill(password);
        await here.page.getByLabel("The new one again").fill(again);
        await here.click("button", "Change password");
      };
      await here.click("link", "Your account: berta");
      await here.says("with the role admin", "This one");
      await here.check("account");
      await change("not this one", "password1234", "password4321");
      await here.says("The password was not changed", "This is not your password.", "This is not what you typed above.");
      await here.check("account with errors", 422);
      await change(PASSWORD, "lantern under 7 bridges", "lantern under 7 bridges");
      await here.says("Your password is changed");
      await here.check("account with a new password");
      await there.open("/");
      assert.equal(there.path(), "/login");
      await there.signIn("berta", "lantern under 7 bridges");
      assert.equal(there.path(), "/");
      await here.open("/account");
      await here.click("button", "End the session of Chrome");
      await here.says("That session is signed out.");
      await there.open("/");
      assert.equal(there.path(), "/login");
      await here.close();
      await there.close();
    });

    it("asks when two people changed the same field", async () => {
      const tile = await desk.token({ label: "old" });
      const other = await visitor.tab();
      await visitor.open(`${tile}/edit`);
      await other.open(`${tile}/edit`);
      await visitor.fill("Label", "mine");
      await visitor.fill("Lock after each use", "60");
      await visitor.click("button", "Save");
      await other.fill("Label", "theirs");
      await other.click("button", "Save");
      await other.says("Meanwhile the token was changed", "mine", "theirs");
      await other.check("conflict", 409);
      assert.equal(await other.page.getByLabel("Label").inputValue(), "theirs");
      assert.equal(await other.page.getByLabel("Lock after each use").inputValue(), "1", "a minute, from the other side");
      await other.click("button", "Save");
      await other.says("The token is saved.", "theirs", "1 minute");
      await other.page.close();
      other.silent();
    });

    it("keeps what was typed when the session ends meanwhile", async () => {
      desk.run(["user", "add", "carla", "--role", "admin", "--password-stdin"], `${PASSWORD}\n`);
      const tile = await desk.token({ value: `kept ${javaScript}`, label: "old", usage_count: 3 });
      const [here, there] = [await desk.signedIn("carla"), await desk.signedIn("carla")];
      await here.open(`${tile}/edit`);
      await here.fill("Label", "typed for an hour");
      await here.page.getByLabel("Unlimited").check();
      await there.open("/account");
      await there.click("button", "Sign out everywhere else");
      await here.click("button", "Save");
      assert.equal(here.path(), "/login");
      await here.signIn("carla", PASSWORD);
      assert.equal(here.path(), `${tile}/edit`);
      assert.equal(await here.page.getByLabel("Label").inputValue(), javaScript ? "typed for an hour" : "old");
      assert.equal(await here.page.getByLabel("Unlimited").isChecked(), javaScript);
      assert.equal(await here.page.getByLabel("Uses left").isDisabled(), javaScript);
      await here.page.getByLabel("Unlimited").uncheck();
      // A use of the token meanwhile is not undone by the number that stood in the form.
      await desk.view(`${tile}/consume_token`, {});
      await here.click("button", "Save");
      await here.says("The token is saved.", javaScript ? "typed for an hour" : "old", "2 uses left");
      await here.open(`${tile}/edit`);
      await here.fill("Label", "not sent");
      await here.click("link", "Cancel");
      await here.click("link", "Edit");
      assert.notEqual(await here.page.getByLabel("Label").inputValue(), "not sent");
      await here.close();
      await there.close();
    });

    it("keeps uses that happened while the session was over", async () => {
      desk.run(["user", "add", "dora", "--role", "editor", "--password-stdin"], `${PASSWORD}\n`);
      const tile = await desk.token({ label: "old", usage_count: 3 });
      const [here, there] = [await desk.signedIn("dora"), await desk.signedIn("dora")];
      await here.open(`${tile}/edit`);
      await here.fill("Label", "new");
      await there.open("/account");
      await there.click("button", "Sign out everywhere else");
      await here.click("button", "Save");
      await desk.view(`${tile}/consume_token`, {});
      await here.signIn("dora", PASSWORD);
      await here.click("button", "Save");
      await here.says("The token is saved.", "2 uses left", javaScript ? "new" : "old");
      await here.close();
      await there.close();
    });

    it("says why not", async () => {
      desk.run(["user", "add", "vera", "--role", "viewer", "--password-stdin"], `${PASSWORD}\n`);
      desk.run(["user", "add", "scan", "--role", "scanner", "--password-stdin"], `${PASSWORD}\n`);
      const viewer = await desk.signedIn("vera");
      await viewer.check("list for a viewer");
      assert.equal(await viewer.page.getByRole("link", { name: "Add token" }).count(), 0);
      await viewer.open(await desk.token());
      await viewer.check("tile for a viewer");
      await viewer.open("/add");
      await viewer.says("This is not for you");
      await viewer.check("forbidden", 403);
      await viewer.close();
      const scanner = await desk.signedIn("scan");
      await scanner.check("first page for a scanner", 403);
      await scanner.close();
      await visitor.open("/00000000-0000-4000-8000-000000000000");
      await visitor.says("Nothing is here");
      await visitor.check("no such token", 404);
      await visitor.open("/no/such/page");
      await visitor.check("no such page", 404);
    });

    it("shows text as text", async () => {
      await visitor.open("/add");
      await visitor.fill("Value", HOSTILE.value);
      await visitor.fill("Label", HOSTILE.label);
      await visitor.click("button", "Add token");
      const tile = visitor.path();
      const shown = () => visitor.says(HOSTILE.value, HOSTILE.label);
      await shown();
      assert.equal(await visitor.page.title(), `${HOSTILE.label} · Tessera`);
      await visitor.open(`/?q=${encodeURIComponent("{{ 7*7 }}")}`);
      await shown();
      await visitor.open(`${tile}/edit`);
      assert.equal(await visitor.page.getByLabel("Value").inputValue(), HOSTILE.value);
      assert.equal(await visitor.page.getByLabel("Label").inputValue(), HOSTILE.label);
      await visitor.open(`${tile}/delete`);
      await shown();
      await visitor.click("button", "Delete token");
      await visitor.open("/deleted");
      await shown();
      assert.equal(await visitor.page.locator("main script, main img").count(), 0);
      visitor.silent();
    });

    it("has room for long, wide and right-to-left text", async () => {
      const tiles = [];
      for (const fields of LONG) tiles.push(await desk.token({ ...fields, usage_count: 2147483647, valid_to: "2999-12-31T23:59:59.999999" }));
      await visitor.open("/");
      await visitor.check("list with long text");
      for (const [at, tile] of tiles.entries()) {
        await visitor.open(tile);
        await visitor.says(LONG[at].label.trim(), LONG[at].value.trim());
        await visitor.check(`tile with long text ${at}`);
        await visitor.open(`${tile}/edit`);
        await visitor.fits("edit with long text");
        await visitor.open(`${tile}/delete`);
        await visitor.check(`delete with long text ${at}`);
        await visitor.click("button", "Delete token");
      }
      await visitor.open("/deleted");
      await visitor.check("deleted with long text");
      await visitor.open(`/?q=${"W".repeat(1000)}`);
      await visitor.fits("nothing found for a long text");
    });

    it("works by keyboard alone", async () => {
      const tile = await desk.token({ value: "by keyboard", usage_count: 9 });
      const { page } = visitor;
      const press = (key) => page.keyboard.press(key);
      const focused = () => page.evaluate(() => document.activeElement.innerText || document.activeElement.name || "");
      const tabTo = async (wanted) => {
        for (let turn = 0; turn < 60; turn += 1) {
          await press("Tab");
          if ((await focused()).trim() === wanted) return;
        }
        assert.fail(`Tab does not lead to ${wanted}`);
      };
      await visitor.open("/");
      await press("Tab");
      assert.equal(await focused(), "Skip to the content");
      assert.ok(await page.locator(".skip").evaluate((skip) => skip.getBoundingClientRect().top >= 0), "it is seen");
      await press("Enter");
      await tabTo("Add token");
      await tabTo("q");
      await page.keyboard.type("by keyboard");
      await visitor.leads(() => press("Enter"));
      await tabTo("by keyboard");
      await visitor.leads(() => press("Enter"));
      assert.equal(visitor.path(), tile);
      await tabTo("Use once");
      await visitor.leads(() => press("Enter"));
      await visitor.says("8 uses left");
      await visitor.open("/?q=by+keyboard");
      await tabTo("by keyboard");
      await press("Tab");
      assert.equal((await focused()).replaceAll(/\s+/g, " "), "Edit by keyboard");
      assert.equal(await page.evaluate(() => getComputedStyle(document.activeElement).opacity), "1");
      for (const path of ["/?q=by+keyboard", tile, `${tile}/edit`, `${tile}/delete`, "/deleted", "/account"]) {
        await visitor.open(path);
        await everythingTakesFocus(visitor, path);
      }
      const stranger = await desk.visitor();
      await stranger.open("/login");
      await everythingTakesFocus(stranger, "/login");
      await stranger.close();
    });

    it("prints the code, the label and the value, and nothing else", async () => {
      await visitor.open(await desk.token({ value: "on paper", label: "Anna's locker" }));
      await visitor.page.emulateMedia({ media: "print" });
      const words = (await visitor.page.evaluate(() => document.body.innerText)).trim().split(/\s*\n\s*/);
      assert.deepEqual(words, ["Anna's locker", "on paper"]);
      const seen = await visitor.page.locator("svg:visible, a:visible, button:visible, input:visible").count();
      assert.equal(seen, 1, "the code alone");
      const box = await visitor.page.locator(".code svg").boundingBox();
      assert.ok(box.width > 150 && Math.abs(box.width - box.height) < 1);
      await visitor.page.emulateMedia({ media: null });
    });

    if (javaScript) it("copies the value", async () => {
      await visitor.context.grantPermissions(["clipboard-read", "clipboard-write"]);
      await visitor.open(await desk.token({ value: "to be copied" }));
      await visitor.page.getByRole("button", { name: "Copy value" }).click();
      await visitor.page.getByRole("button", { name: "Copied" }).waitFor();
      assert.equal(await visitor.page.evaluate(() => navigator.clipboard.readText()), "to be copied");
    });
  });
}

/** Tab reaches everything that takes focus and comes back to the beginning, and each shows a ring. */
async function everythingTakesFocus(visitor, path) {
  const { page } = visitor;
  const here = () =>
    page.evaluate(() => {
      const element = document.activeElement;
      if (element === document.body) return null;
      const all = [...document.querySelectorAll("a[href], button, input, select")];
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return { at: all.indexOf(element), ring: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2, html: element.outerHTML };
    });
  const wanted = await page.evaluate(() => {
    const all = [...document.querySelectorAll("a[href], button, input, select")];
    return all.flatMap((element, at) => (element.checkVisibility() && !element.disabled && element.type !== "hidden" ? [at] : []));
  });
  const reached = new Set();
  await page.evaluate(() => document.activeElement.blur());
  await page.locator("body").evaluate((body) => {
    body.tabIndex = -1;
    body.focus();
    body.removeAttribute("tabindex");
  });
  for (let turn = 0; turn < 200; turn += 1) {
    await page.keyboard.press("Tab");
    const element = await here();
    if (!element || (element.at === wanted[0] && reached.size > 1)) break;
    reached.add(element.at);
    assert.ok(element.ring, `${path}: no ring around ${element.html}`);
  }
  assert.deepEqual([...reached].sort((a, b) => a - b), wanted, `${path}: Tab reaches everything`);
}
