// Starts the real binary and a real browser, and looks at every page as a picky visitor would.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const BINARY = process.env.TESSERA_BINARY ?? fileURLToPath(new URL("../../target/debug/tessera", import.meta.url));
/** The program that writes frames for the test of the worker: cargo builds it beside the binary. */
export const HARD_FRAMES = join(dirname(BINARY), "examples", "hard_frames");
// All tests but those of what only a whole browser has are made in one without windows, which takes less time.
export const CHROME = process.env.CHROME || "/usr/bin/chromium";
const CHROME_SHELL = process.env.CHROME_SHELL || CHROME;
// A folder for pictures of every page, wide and narrow, light and dark; none are taken without it.
const PICTURES = process.env.PICTURES;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const ALL_RULES = { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] };
// Those that a colour scheme can break: the styles set nothing but colours by it, which a test of the assets holds.
const COLOR_RULES = { type: "rule", values: ["color-contrast", "link-in-text-block"] };
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 320, height: 640 };
const WIDTHS = [320, 400, 769, 1025];

export const PASSWORD = "mosaic-tile-1887";

/** Opens a server of their own for the tests of a `describe`, with a visitor who is signed in, and closes it after them. */
export function withServer(javaScript, take) {
  let server;
  let visitor;
  before(async () => {
    server = await Server.open(javaScript);
    visitor = await server.signedIn();
    take({ server, visitor });
  });
  after(async () => {
    try {
      await visitor?.close();
    } finally {
      await server?.close();
    }
  });
}

/** A browser; with more arguments one of its own. */
export function launch(executablePath = CHROME_SHELL, more = []) {
  return chromium.launch({
    executablePath,
    // Chromium refuses to run as root with its sandbox.
    chromiumSandbox: process.getuid?.() !== 0,
    args: [
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...more,
    ],
  });
}

/** A running server with an empty database, and a browser with an empty profile. */
export class Server {
  static async open(javaScriptEnabled) {
    const server = new Server();
    server.javaScriptEnabled = javaScriptEnabled;
    server.audited = new Set();
    server.folder = mkdtempSync(join(tmpdir(), "tessera-browser-"));
    try {
      await server.#start();
      server.browser = await launch(CHROME_SHELL);
      server.key = server.run(["key", "add", "tests", "--role", "manager"]).trim();
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  async close() {
    await this.browser?.close();
    await this.wholeBrowser?.close();
    if (this.process && this.process.exitCode === null) {
      const ended = new Promise((resolve) => this.process.once("exit", resolve));
      this.process.kill("SIGKILL");
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  #environment() {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("TESSERA_"));
    return { ...Object.fromEntries(inherited), TESSERA_ADMIN_PASSWORD: PASSWORD, TESSERA_TIMEZONE: "Europe/Vienna" };
  }

  async #start() {
    const log = join(this.folder, "log");
    const stdio = ["ignore", "pipe", openSync(log, "w")];
    this.process = spawn(BINARY, ["serve", "--bind", "127.0.0.1:0"], { cwd: this.folder, env: this.#environment(), stdio });
    const started = new Promise((resolve, reject) => {
      this.process.once("error", reject);
      this.process.once("exit", () => reject(new Error(`the server did not start: ${readFileSync(log, "utf8")}`)));
      createInterface({ input: this.process.stdout }).on("line", (line) => {
        const address = line.match(/^Tessera is listening on (\S+)\/$/)?.[1];
        if (address) resolve(address);
      });
    });
    this.base = await started;
  }

  /** Runs a command beside the server. */
  run(words, input = "") {
    const done = spawnSync(BINARY, words, { cwd: this.folder, env: this.#environment(), input, encoding: "utf8" });
    assert.equal(done.status, 0, `${words.join(" ")}: ${done.stderr}`);
    return done.stdout;
  }

  /** Asks a JSON view. */
  async view(path, fields) {
    const headers = { authorization: `Bearer ${this.key}`, "content-type": "application/json" };
    const answer = await fetch(this.base + path, { method: "POST", headers, body: JSON.stringify(fields) });
    const json = await answer.json();
    assert.equal(answer.status, 200, JSON.stringify(json));
    return json;
  }

  /** Adds a token, and tells its address. */
  async token(fields = {}) {
    const plain = { valid_from: "", valid_to: "", usage_count: 1, lock_time: 0 };
    return `/${(await this.view("/add_token", { ...plain, ...fields })).token_uid}`;
  }

  /** A browser of somebody else: own cookies, own storage. */
  async visitor(browser = this.browser) {
    const context = await browser.newContext({ javaScriptEnabled: this.javaScriptEnabled, viewport: WIDE });
    context.setDefaultTimeout(10_000);
    return new Visitor(this, context, await context.newPage());
  }

  /** A browser that is signed in. */
  async signedIn(name = "admin", password = PASSWORD, browser = this.browser) {
    const visitor = await this.visitor(browser);
    await visitor.open("/login");
    await visitor.signIn(name, password);
    return visitor;
  }

  /** The same in a browser with all it has, such as a viewer of PDF. */
  async signedInWithWindows() {
    this.wholeBrowser ??= await launch(CHROME);
    return this.signedIn("admin", PASSWORD, this.wholeBrowser);
  }

  /** The same page in a browser that runs axe, which cannot run where JavaScript is off. Its own scripts do not run. */
  async copy(page) {
    const body = await page.content();
    this.copied ??= await (await this.browser.newContext({ viewport: WIDE })).newPage();
    await this.copied.unrouteAll();
    await this.copied.route("**/static/*.js", (route) => route.fulfill({ contentType: "text/javascript", body: "" }));
    await this.copied.route(
      (url) => url.href === page.url().split("#")[0],
      (route) => route.fulfill({ contentType: "text/html; charset=utf-8", body }),
    );
    // From a blank page: an address with a fragment would otherwise only be scrolled to.
    await this.copied.goto("about:blank");
    await this.copied.goto(page.url());
    assert.equal(await this.copied.title(), await page.title());
    return this.copied;
  }
}

/** A page and what happens on it. */
export class Visitor {
  constructor(server, context, page) {
    this.server = server;
    this.context = context;
    this.page = page;
    this.noise = [];
    this.failures = [];
    page.on("pageerror", (error) => this.noise.push(`uncaught: ${error.message}`));
    page.on("console", (message) => {
      // The browser's own line about a page that answered 4xx; `check` and `close` hold that the status was meant.
      const isStatus = /^Failed to load resource: the server responded with a status of 4\d\d/.test(message.text());
      const isPage = this.pages.has(message.location().url.split("#")[0]);
      if (["error", "warning"].includes(message.type()) && !(isStatus && isPage)) {
        this.noise.push(`${message.type()}: ${message.text()} (${message.location().url})`);
      }
    });
    page.on("dialog", (dialog) => {
      this.noise.push(`a dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    this.pages = new Set();
    page.on("response", (response) => {
      if (!response.request().isNavigationRequest()) {
        if (response.status() >= 400) this.noise.push(`${response.status()} ${response.url()}`);
        return;
      }
      this.pages.add(response.url().split("#")[0]);
      if (response.status() >= 400) this.failures.push(response.status());
    });
  }

  /** Another tab of the same browser. */
  async tab() {
    return new Visitor(this.server, this.context, await this.context.newPage());
  }

  /** Ends the browser. Nothing was said on its console, and no page failed that was not meant to. */
  async close() {
    await this.context.close();
    this.silent();
  }

  silent() {
    assert.deepEqual(this.noise.splice(0), [], "the console is silent");
    assert.deepEqual(this.failures.splice(0), [], "no page failed that was not meant to");
  }

  async open(path) {
    await this.page.goto(this.server.base + path);
  }

  /** Does what leads to another page, and waits for that. */
  async leads(action) {
    const loaded = this.page.waitForEvent("load");
    await action();
    await loaded;
  }

  async click(role, name, options = {}) {
    await this.leads(() => this.page.getByRole(role, { name, exact: true, ...options }).click());
  }

  /** Signs out by the menu under the user's name. */
  async signOut() {
    await this.page.locator("details.account > summary").click();
    await this.click("button", "Sign out");
  }

  async fill(label, text) {
    await this.page.getByLabel(label).fill(text);
  }

  async signIn(name, password) {
    await this.fill("Name", name);
    await this.fill("Password", password);
    await this.click("button", "Sign in");
  }

  path() {
    return new URL(this.page.url()).pathname;
  }

  text(selector = "main") {
    return this.page.locator(selector).first().innerText();
  }

  async says(...words) {
    const text = await this.text();
    for (const word of words) assert.ok(text.includes(word), `${JSON.stringify(word)} is not in ${JSON.stringify(text)}`);
  }

  /** Holds that the page is what it should be: its status, its silence, its width, and that nobody is kept out of it. */
  async check(name, status = 200) {
    assert.deepEqual(this.failures.splice(0), status >= 400 ? [status] : [], `${name}: its status`);
    this.silent();
    await this.fits(name);
    // A page is looked at once: the same template with the same parts would only take longer.
    if (this.server.audited.has(name)) return;
    this.server.audited.add(name);
    const page = this.server.javaScriptEnabled ? this.page : await this.server.copy(this.page);
    const violations = [];
    await page.evaluate(AXE);
    for (const colorScheme of ["light", "dark"]) {
      for (const viewport of [WIDE, NARROW]) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.setViewportSize(viewport);
        const found = await page.evaluate(async (runOnly) => {
          const { passes, violations } = await window.axe.run(document, { runOnly, resultTypes: ["violations"] });
          const failures = violations.flatMap(({ id, nodes }) =>
            nodes.map((node) => `${id} at ${node.target.join(" ")}: ${node.failureSummary}`),
          );
          return { passed: passes.length, failures };
        }, colorScheme === "light" ? ALL_RULES : COLOR_RULES);
        assert.ok(found.passed > 0, "axe-core looked");
        const where = `${name}, ${colorScheme}, ${viewport.width} px`;
        violations.push(...found.failures.map((failure) => `${where}: ${failure}`));
        if (PICTURES) await this.picture(page, `${name}-${colorScheme}-${viewport.width}`);
      }
    }
    await page.emulateMedia({ colorScheme: null, reducedMotion: null });
    await page.setViewportSize(WIDE);
    assert.equal(violations.length, 0, `axe-core finds:\n${violations.join("\n")}`);
  }

  async picture(page, name) {
    const folder = join(PICTURES, this.server.javaScriptEnabled ? "script" : "no-script");
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `${name.replaceAll(/\W+/g, "-")}.png`), fullPage: true });
  }

  /** Evaluates in the page, once more if it has just loaded itself anew, as one that shows progress does. */
  async evaluate(work) {
    try {
      return await this.page.evaluate(work);
    } catch (error) {
      if (!/context was destroyed/.test(error.message)) throw error;
      await this.page.waitForLoadState();
      return this.page.evaluate(work);
    }
  }

  /** Nothing is wider than the screen, be it the narrowest or one at which the layout changes. */
  async fits(name) {
    for (const width of WIDTHS) {
      await this.page.setViewportSize({ width, height: 640 });
      const [needed, beyond] = await this.evaluate(() => {
        const right = (element) => element.getBoundingClientRect().right;
        const wide = [...document.querySelectorAll("body *")].filter((element) => right(element) > innerWidth + 1);
        const names = wide.map((element) => `${element.tagName.toLowerCase()}.${element.getAttribute("class") ?? ""}`);
        return [document.documentElement.scrollWidth, names];
      });
      assert.ok(needed <= width, `${name} scrolls sideways at ${width} px: ${needed} px, for ${beyond.join(", ")}`);
    }
    await this.page.setViewportSize(WIDE);
  }
}
