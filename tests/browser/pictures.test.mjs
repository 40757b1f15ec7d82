// The pictures of the README, docs/DESK.md and docs/DOOR.md: how the main pages look today. `bin/browser-check --pictures` puts them into docs/pictures.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";

import { withServer } from "./support.mjs";

const temporary = process.env.README_PICTURES ? undefined : mkdtempSync(join(tmpdir(), "tessera-pictures-"));
const FOLDER = process.env.README_PICTURES || temporary;

// What a hotel with a museum next door hands out. Values of their own, so that the codes are the same in every run.
const TOKENS = [
  { value: "SPA-2041", label: "Spa, day guest", usage_count: 1 },
  { value: "TOUR-1887", label: "Guided tour, Sunday", usage_count: 1, valid_from: "2030-06-02T09:00", valid_to: "2030-06-02T18:00" },
  { value: "LUNCH-0093", label: "Lunch, staff", usage_count: 20, lock_time: 3600 },
  { value: "LIFT-0007", label: "Lift to the roof", usage_count: -1, lock_time: 30 },
  { value: "MUSEUM-0512", label: "Museum, two persons", usage_count: 2 },
  { value: "BIKE-0031", label: "Bicycle 31", usage_count: 0 },
  { value: "POOL-1204", label: "Pool, ten visits", usage_count: 10, lock_time: 900 },
];

describe("the README's pictures", () => {
  let server;
  let visitor;

  withServer(true, (opened) => ({ server, visitor } = opened));
  after(() => temporary && rmSync(temporary, { recursive: true }));

  const take = async (name, height = 800, width = 1280) => {
    await visitor.page.setViewportSize({ width, height });
    await visitor.page.emulateMedia({ colorScheme: "light" });
    await visitor.page.evaluate(() => document.activeElement?.blur());
    const picture = await visitor.page.screenshot({ path: join(FOLDER, name) });
    assert.ok(picture.length > 10_000, `${name} shows something`);
  };

  it("are the list, as rows, as tiles and on a phone, and a tile", async () => {
    await server.view("/add_tokens", { count: 12, label: "Locker {n:03}", batch_name: "Lockers", usage_count: 1, valid_to: "2030-11-30" });
    let pool;
    for (const fields of TOKENS) pool = await server.token(fields);
    for (let n = 0; n < 3; n += 1) await server.view(`${pool}/consume_token`, {}).catch(() => undefined);
    await visitor.open("/");
    await visitor.says("Museum, two persons");
    await take("tokens.png");
    await visitor.page.setViewportSize({ width: 390, height: 780 });
    await visitor.open("/");
    await take("tokens-phone.png", 780, 390);
    await visitor.page.setViewportSize({ width: 1280, height: 800 });
    await visitor.open("/?view=tiles");
    await take("tiles.png");
    await visitor.open(pool);
    await visitor.says("POOL-1204");
    await take("tile.png");
  });

  it("the numbers of today, and a sheet before it is printed", async () => {
    await visitor.open("/overview");
    await visitor.says("used today");
    await take("overview.png");
    await visitor.open("/sheet?q=locker");
    await visitor.page.locator(".page svg").first().waitFor();
    await take("sheet.png");
  });

  it("and the verdicts at the door, on a phone", async () => {
    await visitor.page.setViewportSize({ width: 390, height: 780 });
    await visitor.page.emulateMedia({ colorScheme: "light" });
    await visitor.open("/scan?gate=");
    for (const [code, name, word] of [["MUSEUM-0512", "good", "Good"], ["BIKE-0031", "refused", "Refused"]]) {
      await visitor.page.fill("#code", code);
      await visitor.page.click(".scan-form button.primary");
      await visitor.page.locator(".scan-verdict h2", { hasText: word }).waitFor();
      const picture = await visitor.page.screenshot({ path: join(FOLDER, `door-${name}.png`) });
      assert.ok(picture.length > 10_000, `door-${name}.png shows something`);
    }
  });
});
