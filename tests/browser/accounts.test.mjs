// Users, keys and the audit as managers use them, in a real browser, with JavaScript and without.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { PASSWORD, withServer } from "./support.mjs";

const OTHER = "lantern under 7 bridges";
const LONG = "W".repeat(64);

for (const javaScript of [true, false]) {
  describe(javaScript ? "with JavaScript" : "without JavaScript", () => {
    let server;
    let visitor;

    withServer(javaScript, (opened) => ({ server, visitor } = opened));

    const secret = () => visitor.text(".secret code");

    it("adds users, with a password that is typed or made", async () => {
      await visitor.open("/");
      await visitor.click("link", "Users");
      await visitor.says("admin", "you");
      await visitor.check("users");
      await visitor.click("link", "Add user");
      await visitor.check("add user");
      await visitor.fill("Name", "anna smith");
      await visitor.page.getByLabel("editor").check();
      await visitor.fill("Password", "password1234");
      await visitor.click("button", "Add user");
      await visitor.says("User not added", "A name needs 1 to 64 letters", "too easy to guess");
      await visitor.check("add user with errors", 422);
      for (const link of await visitor.page.locator(".problems a").all()) {
        const field = visitor.page.locator(await link.getAttribute("href"));
        assert.equal(await field.getAttribute("aria-invalid"), "true");
      }
      assert.equal(await visitor.page.getByLabel("editor").isChecked(), true, "what was chosen is kept");
      assert.equal(await visitor.page.getByLabel("Password").inputValue(), "", "but not the password");
      await visitor.fill("Name", "anna");
      await visitor.click("button", "Add user");
      await visitor.says("added.", "shown only once");
      await visitor.check("user with a made password");
      const password = await secret();
      if (javaScript) {
        await visitor.context.grantPermissions(["clipboard-read", "clipboard-write"]);
        await visitor.page.getByRole("button", { name: "Copy password" }).click();
        await visitor.page.getByRole("button", { name: "Copied" }).waitFor();
        assert.equal(await visitor.page.evaluate(() => navigator.clipboard.readText()), password);
      }
      await visitor.click("link", "I've saved it");
      assert.ok(!(await visitor.page.content()).includes(password), "it was shown once");
      await (await server.signedIn("anna", password)).close();
      await visitor.click("link", "Add user");
      await visitor.fill("Name", LONG);
      // The whole row is the choice.
      await visitor.page.getByText("Sees and prints tokens, and sees usage. Cannot change or use tokens.").click({ force: true });
      await visitor.fill("Password", OTHER);
      await visitor.click("button", "Add user");
      await visitor.says(`User ${LONG} added.`, "Viewer", "never");
      await visitor.check("users with a long name");
    });

    it("changes, disables, enables and removes a user, who is out at once", async () => {
      server.run(["user", "add", "berta", "--role", "editor", "--password-stdin"], `${PASSWORD}\n`);
      const berta = await server.signedIn("berta");
      const isOut = async () => {
        await berta.open("/account");
        assert.equal(berta.path(), "/login");
      };
      await visitor.open("/users");
      await visitor.click("link", "Change berta");
      await visitor.check("user");
      await visitor.page.getByLabel("admin").check();
      await visitor.click("button", "Change role");
      await visitor.says("Role changed.");
      await isOut();
      await berta.signIn("berta", PASSWORD);
      await visitor.fill("New password", "berta");
      if (javaScript) {
        // The browser itself refuses a short one.
        await visitor.page.getByRole("button", { name: "Reset password" }).click();
        assert.equal(await visitor.page.getByLabel("New password").evaluate((field) => field.validity.tooShort), true);
      }
      await visitor.fill("New password", "bertabertaberta");
      await visitor.click("button", "Reset password");
      await visitor.says("Nothing changed", "too easy to guess");
      await visitor.check("user with errors", 422);
      await visitor.fill("New password", OTHER);
      await visitor.click("button", "Reset password");
      await visitor.says("Password changed.");
      await isOut();
      await berta.signIn("berta", OTHER);
      await visitor.click("button", "Disable user");
      await visitor.says("is disabled and signed out everywhere", "Disabled since");
      await visitor.check("disabled user");
      await isOut();
      await berta.signIn("berta", OTHER);
      await berta.says("Wrong name or password");
      await berta.check("sign in of a disabled user", 422);
      await visitor.open("/users");
      await visitor.check("users with a disabled one");
      await visitor.click("link", "Change berta");
      await visitor.click("button", "Enable user");
      await visitor.says("is enabled and can sign in again");
      await berta.signIn("berta", OTHER);
      await visitor.click("link", "Remove user");
      await visitor.says("Remove berta?", "can't be undone");
      await visitor.check("remove user");
      await visitor.click("link", "Cancel");
      await visitor.click("link", "Remove user");
      await visitor.click("button", "Remove user");
      await visitor.says("removed and signed out everywhere");
      await isOut();
      await berta.close();
    });

    it("keeps the last manager, and says before what happens to oneself", async () => {
      await visitor.open("/users/edit?name=admin");
      await visitor.says("This is you.");
      await visitor.check("own user");
      await visitor.page.getByLabel("viewer").check();
      await visitor.click("button", "Change role");
      await visitor.says("Nothing changed", "This is the last manager");
      await visitor.check("last manager", 409);
      await visitor.open("/users/remove?name=admin");
      await visitor.says("Remove yourself?", "You will be signed out immediately");
      await visitor.check("remove oneself");
      await visitor.click("button", "Remove user");
      await visitor.says("This is the last manager");
      assert.deepEqual(visitor.failures.splice(0), [409]);
      server.run(["user", "add", "mira", "--role", "manager", "--password-stdin"], `${PASSWORD}\n`);
      const mira = await server.signedIn("mira");
      await mira.open("/users/edit?name=mira");
      await mira.click("button", "Reset password");
      await mira.says("it is shown only once", "You are signed out everywhere");
      await mira.check("own made password");
      const password = await mira.text(".secret code");
      await mira.click("link", "I've saved it, sign in");
      await mira.signIn("mira", password);
      await mira.open("/users/remove?name=mira");
      await mira.click("button", "Remove user");
      assert.equal(mira.path(), "/login");
      await mira.says("You are signed out.");
      await mira.close();
    });

    it("makes a key that is shown once, and revokes it", async () => {
      await visitor.open("/");
      await visitor.click("link", "Keys");
      await visitor.says("tests", "Manager");
      await visitor.click("link", "Create API key");
      await visitor.check("make a key");
      await visitor.fill("Name", "door 3");
      await visitor.page.getByLabel("scanner").check();
      await visitor.fill("Valid until", "2001-01-01T10:00");
      await visitor.click("button", "Create API key");
      await visitor.says("API key not created", "must be in the future");
      await visitor.check("make a key with errors", 422);
      await visitor.fill("Name", "door-3");
      await visitor.fill("Valid until", "2999-07-01T12:30");
      await visitor.click("button", "Create API key");
      await visitor.says("API key created", "it is shown only once", "1 Jul 2999 12:30", "curl -H");
      await visitor.check("key");
      const key = await secret();
      const ask = () => fetch(`${server.base}/query_token?value=x`, { headers: { authorization: `Bearer ${key}` } });
      assert.equal((await ask()).status, 200);
      await visitor.click("link", "I've saved it");
      assert.ok(!(await visitor.page.content()).includes(key), "it was shown once");
      server.run(["key", "add", LONG, "--role", "viewer"]);
      await visitor.open("/keys");
      await visitor.check("keys");
      await visitor.click("link", "Revoke door-3");
      await visitor.says("Revoke API key door-3?");
      await visitor.check("revoke key");
      await visitor.click("button", "Revoke key");
      await visitor.says("API key revoked.");
      assert.equal((await ask()).status, 401);
    });

    it("shows what was done", async () => {
      await server.view("/add_tokens", { count: 3 }).then(({ token_uids }) => server.view("/delete_tokens", { token_uids }));
      await visitor.open("/");
      await visitor.click("link", "Audit");
      await visitor.says("signed in", "created the API key", "door-3", "removed the user", "3 tokens", "failed to sign in");
      await visitor.check("audit");
      await visitor.page.getByLabel("Action", { exact: true }).selectOption({ label: "User removed" });
      await visitor.page.getByLabel("User or API key", { exact: true }).selectOption({ label: "admin" });
      await visitor.click("button", "Search");
      const shown = await visitor.page.locator(".done tbody .whom").allInnerTexts();
      assert.deepEqual(shown, ["berta"]);
      await visitor.page.getByLabel("To", { exact: true }).fill("2001-01-01");
      await visitor.click("button", "Search");
      await visitor.says("No entries match");
      await visitor.check("nothing in the audit");
      await visitor.click("link", "Show all entries");
      for (let turn = 0; turn < 60; turn += 1) await server.view(`${await server.token()}/delete_token`, {});
      await visitor.open("/audit");
      await visitor.click("link", "Older");
      await visitor.check("older audit");
      await visitor.click("link", "Newest");
      await visitor.open("/audit?from=1969-12-31");
      await visitor.says("These filters can't be used");
      await visitor.check("an audit filter that cannot be used", 422);
    });

    it("works by keyboard alone", async () => {
      const { page } = visitor;
      const focused = () => page.evaluate(() => document.activeElement.innerText || document.activeElement.name || "");
      const tabTo = async (wanted) => {
        for (let turn = 0; turn < 60; turn += 1) {
          await page.keyboard.press("Tab");
          if ((await focused()).replaceAll(/\s+/g, " ").trim() === wanted) return;
        }
        assert.fail(`Tab does not lead to ${wanted}`);
      };
      const enter = () => visitor.leads(() => page.keyboard.press("Enter"));
      await visitor.open("/");
      await tabTo("Users");
      await enter();
      await tabTo("Add user");
      await enter();
      await tabTo("name");
      await page.keyboard.type("dora");
      await tabTo("role");
      await page.keyboard.press("ArrowDown");
      assert.equal(await page.getByLabel("viewer").isChecked(), true);
      const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
      assert.notEqual(ring, "none");
      await tabTo("Add user");
      await enter();
      await visitor.says("it is shown only once");
      await tabTo("I've saved it");
      await enter();
      await tabTo("Change dora");
      await enter();
      await tabTo("Remove user");
      await enter();
      await tabTo("Remove user");
      await enter();
      await visitor.says("removed and signed out everywhere");
    });

    it("keeps others out", async () => {
      server.run(["user", "add", "vera", "--role", "admin", "--password-stdin"], `${PASSWORD}\n`);
      const vera = await server.signedIn("vera");
      for (const name of ["Users", "Keys", "Audit"]) {
        assert.equal(await vera.page.getByRole("link", { name, exact: true }).count(), 0, name);
        await vera.open(`/${name.toLowerCase()}`);
        await vera.says("You don't have access to this page", "Only managers");
        assert.deepEqual(vera.failures.splice(0), [403]);
      }
      await vera.close();
    });
  });
}
