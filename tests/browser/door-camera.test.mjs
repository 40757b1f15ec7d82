// The door with a camera, which plays a file; and what the page says and does where there is none.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { drawFrames, writeVideo } from "./codes.mjs";
import { atDoor, onlyNetworkFailed, openDoor, scan, shownSince, usesLeft, verdict } from "./door.mjs";
import { CHROME, launch, withServer } from "./support.mjs";

const FAKE = "--use-fake-device-for-media-stream";

describe("the door with a camera", () => {
  let server;
  let admin;
  let folder;
  let tiles;
  let damaged;
  const browsers = [];
  /** A browser of its own: with a camera or without, and with who says whether it may be used. */
  const browse = async (...more) => {
    const browser = await launch(undefined, more);
    browsers.push(browser);
    return browser;
  };
  const file = () => join(folder, "codes.y4m");
  const camera = () => browse(FAKE, "--use-fake-ui-for-media-stream", `--use-file-for-fake-video-capture=${file()}`);
  const start = (visitor) => visitor.page.getByRole("button", { name: "Start camera" }).click();

  withServer(true, (opened) => ({ server, visitor: admin } = opened));
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "tessera-camera-"));
    await openDoor(server, admin);
    tiles = [];
    for (const value of ["camera-1", "Tür-2-Überraschung", "camera-3"]) tiles.push(await server.token({ value, usage_count: 100 }));
    damaged = await server.token({ value: "camera-damaged", usage_count: 100 });
    const codes = tiles.map((path, at) => ({ path, dark: at === 2 }));
    const frames = await drawFrames(admin.page, [...codes, { path: damaged, damaged: true }].flatMap((code) => [code, null]));
    writeVideo(file(), frames, 30);
  });
  after(async () => {
    for (const browser of browsers) await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("counts each code once while it is held up, and never one that cannot be read", async () => {
    const visitor = await atDoor(server, { browser: await camera() });
    await start(visitor);
    const seen = [];
    while (new Set(seen).size < 3 || seen.length < 4) {
      seen.push(...(await shownSince(visitor)));
      await visitor.page.waitForTimeout(100);
      assert.ok(seen.length < 12, seen.join());
    }
    assert.deepEqual([...new Set(seen)].sort(), ["good Good Tür-2-Überraschung", "good Good camera-1", "good Good camera-3"]);
    for (const [at, word] of seen.entries()) assert.notEqual(word, seen[at + 1], "each in its turn");
    await visitor.page.getByRole("button", { name: "Stop camera" }).waitFor();
    await visitor.check("scan camera");
    await visitor.close();
    let used = 0;
    for (const tile of tiles) used += 100 - (await usesLeft(server, tile));
    assert.ok(used >= seen.length && used <= seen.length + 2, `${used} uses, ${seen.length} verdicts`);
    assert.equal(await usesLeft(server, damaged), 100);
  });

  it("lets the server read where the worker cannot", async () => {
    const prepare = ({ page }) => page.route("**/static/zxing_reader-*.wasm", (route) => route.abort());
    const visitor = await atDoor(server, { browser: await camera(), prepare });
    const reads = [];
    visitor.page.on("request", (request) => request.url().endsWith("/scan/read") && reads.push(Date.now()));
    await start(visitor);
    await verdict(visitor, "good", "camera-1");
    await verdict(visitor, "good", "Tür-2-Überraschung");
    assert.ok(reads.length > 1);
    // What the reader itself says of that.
    // And a frame that a busy machine was late with came too soon after another one: it is sent again.
    visitor.noise = visitor.noise.filter((line) => !/zxing_reader|429.*scan\/read/.test(line));
    onlyNetworkFailed(visitor);
    await visitor.close();
  });

  it("lets the server read where there is no worker, for two devices of one user too", async () => {
    const prepare = ({ page }) => page.route("**/static/scan-worker-*.js", (route) => route.fulfill({ status: 500 }));
    const browser = await camera();
    const both = [await atDoor(server, { browser, prepare }), await atDoor(server, { browser, prepare })];
    for (const visitor of both) await start(visitor);
    await Promise.all(both.map((visitor) => verdict(visitor, "good")));
    for (const visitor of both) {
      visitor.noise = visitor.noise.filter((line) => !/status of 500|^500/.test(line));
      await visitor.close();
    }
  });

  it("remembers which of two cameras was chosen", async () => {
    const visitor = await atDoor(server, { browser: await browse(`${FAKE}=device-count=2`, "--use-fake-ui-for-media-stream") });
    const { page } = visitor;
    const used = () => page.evaluate(() => document.querySelector("[data-camera] video").srcObject.getVideoTracks()[0].label);
    await start(visitor);
    const choice = page.getByRole("combobox", { name: "Camera" });
    await choice.waitFor();
    const labels = await choice.locator("option").allInnerTexts();
    assert.equal(labels.length, 2);
    const other = labels.find((label) => label !== labels[0]);
    for (const label of [labels[0], other]) {
      await choice.selectOption({ label });
      await page.waitForFunction((it) => document.querySelector("[data-camera] video").srcObject?.getVideoTracks()[0].label === it, label);
    }
    await visitor.check("scan two cameras");
    // A handheld scanner chooses no other one.
    await choice.focus();
    await scan(visitor, "camera-1");
    await verdict(visitor, "good", "camera-1");
    assert.equal(await used(), other);
    await page.reload();
    await start(visitor);
    await choice.waitFor();
    assert.equal(await used(), other);
    assert.equal(await choice.evaluate((select) => select.selectedOptions[0].text), other);
    await visitor.close();
  });

  it("switches a torch on and off, and starts again when the phone takes the camera away", async () => {
    // Chromium's fake camera has no torch, and nobody takes it away.
    const prepare = ({ context }) =>
      context.addInitScript(() => {
        const { prototype } = MediaStreamTrack;
        const capabilities = prototype.getCapabilities;
        prototype.getCapabilities = function () {
          return { ...capabilities.call(this), torch: true };
        };
        window.torch = [];
        prototype.applyConstraints = async ({ advanced }) => void window.torch.push(advanced[0].torch);
      });
    const visitor = await atDoor(server, { browser: await browse(FAKE, "--use-fake-ui-for-media-stream"), prepare });
    const { page } = visitor;
    await start(visitor);
    const torch = page.getByRole("button", { name: "Light" });
    await torch.click();
    await page.locator("[data-torch][aria-pressed=true]").waitFor();
    await torch.click();
    await page.locator("[data-torch][aria-pressed=false]").waitFor();
    assert.deepEqual(await page.evaluate(() => window.torch), [true, false]);
    const taken = (how) =>
      page.evaluate((event) => {
        const [track] = document.querySelector("[data-camera] video").srcObject.getVideoTracks();
        window.before = track.id;
        if (event === "mute") Object.defineProperty(track, "muted", { value: true });
        else track.stop();
        track.dispatchEvent(new Event(event));
      }, how);
    for (const how of ["mute", "ended"]) {
      await taken(how);
      await page.waitForFunction(() => {
        const track = document.querySelector("[data-camera] video").srcObject?.getVideoTracks()[0];
        return track && track.id !== window.before && track.readyState === "live";
      });
    }
    await visitor.close();
  });

  it("says how to allow a camera that was denied, and asks no more by itself", async () => {
    // One without windows knows of no permissions.
    const browser = await launch(CHROME, [FAKE, "--deny-permission-prompts"]);
    browsers.push(browser);
    const visitor = await atDoor(server, { browser });
    const { page } = visitor;
    await page.evaluate(() => {
      window.asked = 0;
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = (wish) => ((window.asked += 1), ask(wish));
    });
    await start(visitor);
    await page.getByText("The browser blocks the camera.").first().waitFor();
    await page.evaluate(() => dispatchEvent(new Event("focus")));
    await page.waitForTimeout(300);
    assert.equal(await page.evaluate(() => window.asked), 1);
    await visitor.check("scan camera denied");
    await scan(visitor, "nobody");
    await verdict(visitor, "refused", "Unknown code");
    await visitor.close();
  });

  it("says that there is no camera", async () => {
    const visitor = await atDoor(server, { browser: await browse("--use-fake-ui-for-media-stream") });
    await start(visitor);
    await visitor.page.getByText("This device has no camera.").first().waitFor();
    await visitor.close();
  });

  it("says over plain http that a camera needs https, and takes photos and scans", async () => {
    const browser = await browse("--host-resolver-rules=MAP door.test 127.0.0.1");
    const plain = Object.create(server, { base: { value: server.base.replace("127.0.0.1", "door.test") } });
    const visitor = await atDoor(plain, { browser });
    const { page } = visitor;
    assert.equal(await page.evaluate(() => isSecureContext), false);
    await start(visitor);
    await page.getByText("only at addresses that start with https").first().waitFor();
    const before = await usesLeft(server, tiles[0]);
    const picture = await (await admin.context.request.get(`${server.base}${tiles[0]}/qr_code`)).body();
    await page.locator("input[type=file]").setInputFiles({ name: "photo.png", mimeType: "image/png", buffer: picture });
    await verdict(visitor, "good", "camera-1");
    assert.equal(await usesLeft(server, tiles[0]), before - 1);
    await scan(visitor, "camera-3");
    await verdict(visitor, "good", "camera-3");
    visitor.noise = visitor.noise.filter((line) => !line.includes("Cross-Origin-Opener-Policy header has been ignored"));
    await visitor.close();
  });

  it("says that a photo has no code, or is none", async () => {
    const visitor = await atDoor(server);
    const { page } = visitor;
    const photo = page.locator("input[type=file]");
    const empty = await page.evaluate(() => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 300, height: 300 });
      return canvas.toDataURL("image/png").split(",")[1];
    });
    await photo.setInputFiles({ name: "empty.png", mimeType: "image/png", buffer: Buffer.from(empty, "base64") });
    await page.getByText("No code found in this photo").waitFor();
    await photo.setInputFiles({ name: "none.png", mimeType: "image/png", buffer: Buffer.from("no picture") });
    await page.getByText("This file is not a photo").waitFor();
    assert.deepEqual(await shownSince(visitor), ["look Not read", "look Not read"]);
    await visitor.close();
  });

  it("takes how long from a code to its verdict", async () => {
    const tile = await server.token({ value: "timed", usage_count: 1000 });
    const visitor = await atDoor(server);
    const times = await visitor.page.evaluate(async () => {
      const found = [];
      const stage = document.getElementById("stage");
      for (let turn = 0; turn < 100; turn += 1) {
        const begun = performance.now();
        const shown = new Promise((resolve) => {
          const observer = new MutationObserver(() => {
            observer.disconnect();
            resolve();
          });
          observer.observe(stage, { childList: true });
        });
        window.scanSeen("timed", "camera", { again: true });
        await shown;
        found.push(performance.now() - begun);
        // Verdicts are shown for 600 ms each: the next one would wait for that.
        await new Promise((resolve) => setTimeout(resolve, 620));
      }
      return found.sort((a, b) => a - b);
    });
    console.log(`from a code to its verdict: median ${times[50].toFixed(1)} ms, p99 ${times[98].toFixed(1)} ms of ${times.length} scans`);
    assert.equal(await usesLeft(server, tile), 900);
    await visitor.close();
  });
});
