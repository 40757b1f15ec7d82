// Signing in and out, sessions that end, and who may not.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { PASSWORD, withServer } from "./support.mjs";

for (const javaScript of [true, false]) {
  describe(javaScript ? "signing in with JavaScript" : "signing in without JavaScript", () => {
    let server;
    let visitor;

    withServer(javaScript, (opened) => ({ server, visitor } = opened));

    it("signs in, and says when the password is wrong", async () => {
      const stranger = await server.visitor();
      await stranger.open("/add");
      assert.equal(stranger.path(), "/login");
      await stranger.check("sign in");
      await stranger.signIn("admin", "wrong-password");
      await stranger.says("Wrong name or password.");
      assert.equal(await stranger.page.getByLabel("Name").inputValue(), "admin");
      assert.equal(await stranger.page.getByLabel("Password").inputValue(), "");
      await stranger.check("sign in again", 422);
      await stranger.signIn("admin", PASSWORD);
      assert.equal(stranger.path(), "/add", "on to where it wanted to go");
      await stranger.signOut();
      await stranger.says("You are signed out.");
      await stranger.check("signed out");
      await stranger.open("/");
      assert.equal(stranger.path(), "/login");
      await stranger.close();
    });

    it("changes the password and ends other sessions", async () => {
      server.run(["user", "add", "berta", "--role", "admin", "--password-stdin"], `${PASSWORD}\n`);
      const [here, there] = [await server.signedIn("berta"), await server.signedIn("berta")];
      const change = async (now, password, again) => {
        await here.fill("Current password", now);
        await here.page.getByLabel("New password", { exact: true }).fill(password);
        await here.page.getByLabel("Repeat new password").fill(again);
        await here.click("button", "Change password");
      };
      await here.page.locator("details.account > summary").click();
      await here.click("link", "Your account");
      await here.says("Your role is Admin.", "This browser");
      await here.check("account");
      await change("not this one", "password1234", "password4321");
      await here.says("Password not changed", "Wrong current password.", "The two new passwords are different.");
      await here.check("account with errors", 422);
      await change(PASSWORD, "lantern under 7 bridges", "lantern under 7 bridges");
      await here.says("Password changed");
      await here.check("account with a new password");
      await there.open("/");
      assert.equal(there.path(), "/login");
      await there.signIn("berta", "lantern under 7 bridges");
      assert.equal(there.path(), "/");
      await here.open("/account");
      await here.click("button", "Sign out Chrome");
      await here.says("That browser is signed out.");
      await there.open("/");
      assert.equal(there.path(), "/login");
      await here.close();
      await there.close();
    });

    it("keeps what was typed when the session ends meanwhile", async () => {
      server.run(["user", "add", "carla", "--role", "admin", "--password-stdin"], `${PASSWORD}\n`);
      const tile = await server.token({ value: `kept ${javaScript}`, label: "old", usage_count: 3 });
      const [here, there] = [await server.signedIn("carla"), await server.signedIn("carla")];
      await here.open(`${tile}/edit`);
      await here.fill("Label", "typed for an hour");
      await here.page.getByLabel("Unlimited").check();
      await there.open("/account");
      await there.click("button", "Sign out everywhere else");
      await here.click("button", "Save");
      assert.equal(here.path(), "/login");
      await here.signIn("carla", PASSWORD);
      assert.equal(here.path(), `${tile}/edit`);
      assert.equal(await here.page.getByLabel("Label").inputValue(), "typed for an hour");
      assert.equal(await here.page.getByLabel("Unlimited").isChecked(), true);
      assert.equal(await here.page.getByLabel("Uses left").isDisabled(), javaScript);
      await here.page.getByLabel("Unlimited").uncheck();
      // A use of the token meanwhile is not undone by the number that stood in the form.
      await server.view(`${tile}/consume_token`, {});
      await here.click("button", "Save");
      await here.says("Changes saved.", "typed for an hour", "2 uses left");
      await here.open(`${tile}/edit`);
      await here.fill("Label", "not sent");
      await here.click("link", "Cancel");
      await here.click("link", "Edit");
      assert.notEqual(await here.page.getByLabel("Label").inputValue(), "not sent");
      await here.close();
      await there.close();
    });

    it("keeps uses that happened while the session was over", async () => {
      server.run(["user", "add", "dora", "--role", "editor", "--password-stdin"], `${PASSWORD}\n`);
      const tile = await server.token({ label: "old", usage_count: 3 });
      const [here, there] = [await server.signedIn("dora"), await server.signedIn("dora")];
      await here.open(`${tile}/edit`);
      await here.fill("Label", "new");
      await there.open("/account");
      await there.click("button", "Sign out everywhere else");
      await here.click("button", "Save");
      await server.view(`${tile}/consume_token`, {});
      await here.signIn("dora", PASSWORD);
      await here.click("button", "Save");
      await here.says("Changes saved.", "2 uses left", "new");
      await here.close();
      await there.close();
    });

    it("says why not", async () => {
      server.run(["user", "add", "vera", "--role", "viewer", "--password-stdin"], `${PASSWORD}\n`);
      server.run(["user", "add", "scan", "--role", "scanner", "--password-stdin"], `${PASSWORD}\n`);
      const viewer = await server.signedIn("vera");
      await viewer.check("list for a viewer");
      assert.equal(await viewer.page.getByRole("link", { name: "Add token" }).count(), 0);
      await viewer.open(await server.token());
      await viewer.check("tile for a viewer");
      await viewer.open("/add");
      await viewer.says("You don't have access to this page");
      await viewer.check("forbidden", 403);
      await viewer.close();
      const scanner = await server.signedIn("scan");
      assert.equal(scanner.path(), "/scan");
      await scanner.check("first page for a scanner");
      await scanner.open("/add");
      await scanner.check("forbidden for a scanner", 403);
      await scanner.close();
      await visitor.open("/00000000-0000-4000-8000-000000000000");
      await visitor.says("Page not found");
      await visitor.check("no such token", 404);
      await visitor.open("/no/such/page");
      await visitor.check("no such page", 404);
    });
  });
}
