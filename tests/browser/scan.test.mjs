// The worker that reads codes, in a real browser: what it reads of frames that are hard to read, and what it says where it cannot.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

import { HARD_FRAMES, withServer } from "./support.mjs";

const STATIC = fileURLToPath(new URL("../../static/", import.meta.url));
const LEAST = 110;

/** A static file's address, by what is in it. */
function address(name, contents) {
  const hash = createHash("sha256").update(contents).digest("hex").slice(0, 12);
  return name.split("/").at(-1).replace(".", `-${hash}.`);
}

/** The worker's address, and that of its WebAssembly. */
function addresses() {
  let script = readFileSync(join(STATIC, "scan-worker.js"), "utf8");
  const parts = ["vendor/zxing/zxing_reader.js", "vendor/zxing/zxing_reader.wasm"].map((name) => {
    const part = address(name, readFileSync(join(STATIC, name)));
    script = script.replace(`"${name}"`, `"${part}"`);
    return part;
  });
  return { worker: `/static/${address("scan-worker.js", script)}`, wasm: `/static/${parts[1]}` };
}

describe("the worker that reads codes", () => {
  const { worker, wasm } = addresses();
  let server;
  let visitor;
  let folder;
  let all;

  withServer(true, (opened) => ({ server, visitor } = opened));

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "tessera-frames-"));
    const made = spawnSync(HARD_FRAMES, [folder], { encoding: "utf8" });
    assert.equal(made.status, 0, `${HARD_FRAMES}: ${made.error ?? made.stderr}`);
    all = JSON.parse(readFileSync(join(folder, "frames.json")));
    await visitor.context.route("**/frames/*.grey", (route) => {
      const name = new URL(route.request().url()).pathname.split("/").at(-1);
      route.fulfill({ body: readFileSync(join(folder, name)), contentType: "application/octet-stream" });
    });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Starts the worker on a page of ours, and tells what it says first. */
  const start = async () => {
    await visitor.open("/");
    return visitor.page.evaluate((path) => {
      window.worker = new Worker(path);
      return new Promise((resolve) => {
        window.worker.onmessage = ({ data }) => resolve(data);
        window.worker.onerror = (event) => resolve({ failed: event.message });
      });
    }, worker);
  };

  /** What the worker answers for a frame. */
  const read = (id, asImageData) =>
    visitor.page.evaluate(
      async ({ id, asImageData, width, height }) => {
        const grey = new Uint8Array(await (await fetch(`/frames/${id}.grey`)).arrayBuffer());
        const data = new Uint8ClampedArray(4 * grey.length).fill(255);
        grey.forEach((shade, at) => data.fill(shade, 4 * at, 4 * at + 3));
        const image = asImageData ? new ImageData(data, width, height) : { data: data.buffer, width, height };
        const answer = new Promise((resolve) => (window.worker.onmessage = ({ data }) => resolve(data)));
        window.worker.postMessage({ id, image }, asImageData ? [] : [image.data]);
        return answer;
      },
      { id, asImageData, width: all.width, height: all.height },
    );

  it("reads hard frames, and none wrongly", async () => {
    assert.deepEqual(await start(), { ready: true });
    const missed = [];
    let time = 0;
    for (const [id, { name, text }] of all.frames.entries()) {
      const answer = await read(id, id % 2 === 0);
      assert.equal(answer.id, id);
      if (answer.text === null) missed.push(name);
      else assert.equal(answer.text, text, name);
      time += answer.ms;
    }
    const count = all.frames.length - missed.length;
    const each = (time / all.frames.length).toFixed(1);
    const report = `${count} of ${all.frames.length} frames are read, in ${each} ms each; missed are ${missed.join(", ")}`;
    console.log(report);
    assert.ok(count >= LEAST, report);
    visitor.silent();
  });

  it("answers what is no picture with an error, and reads on", async () => {
    await start();
    const answers = await visitor.page.evaluate(async () => {
      const ask = (message) =>
        new Promise((resolve) => {
          window.worker.onmessage = ({ data }) => resolve(data);
          window.worker.postMessage(message);
        });
      return [await ask({ id: 1, image: { data: new ArrayBuffer(7), width: 3, height: 3 } }), await ask({ id: 2 })];
    });
    for (const [index, { id, error }] of answers.entries()) {
      assert.equal(id, index + 1);
      assert.match(error, /^The picture cannot be read: /);
    }
    assert.equal((await read(0, true)).text, all.frames[0].text);
    visitor.silent();
  });

  it("says so when its WebAssembly cannot be loaded", async () => {
    await visitor.context.route(`**${wasm}`, (route) => route.abort());
    const said = await start();
    assert.match(said.error, /^The reader of QR codes cannot be used here: /);
    const { error } = await read(0, true);
    assert.equal(error, said.error);
    await visitor.context.unroute(`**${wasm}`);
    // The browser's own words about what it could not load.
    visitor.noise.splice(0);
  });

  it("may run WebAssembly, which the page may not, and loads nothing from elsewhere", async () => {
    const sites = new Set();
    visitor.context.on("request", (request) => sites.add(new URL(request.url()).origin));
    assert.deepEqual(await start(), { ready: true });
    const refused = await visitor.page.evaluate(async () => {
      try {
        await WebAssembly.compile(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
        return null;
      } catch (error) {
        return error.name;
      }
    });
    assert.equal(refused, "CompileError");
    assert.deepEqual([...sites], [new URL(server.base).origin]);
    visitor.noise.splice(0);
  });
});
