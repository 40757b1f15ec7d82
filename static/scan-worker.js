// Reads QR codes off pictures, beside the page. A message {id, image} is answered by {id, text, ms}, or {id, error};
// `image` is an ImageData, or has `data` (the bytes of RGBA, or their buffer), `width` and `height`; `text` is null
// where no code is found. Once, and without an id, it says {ready: true}, or {error} when nothing can be read here.
"use strict";

const READER = "vendor/zxing/zxing_reader.js";
const WASM = "vendor/zxing/zxing_reader.wasm";
// White on black is tried as well, and a smaller copy, which reads what is blurred.
const OPTIONS = {
  formats: ["QRCode"],
  maxNumberOfSymbols: 1,
  textMode: "Plain",
  tryDownscale: true,
  downscaleFactor: 2,
  tryHarder: true,
  tryInvert: true,
  tryRotate: true,
};

const loaded = load();
loaded.then(
  () => postMessage({ ready: true }),
  ({ message }) => postMessage({ error: message }),
);

async function load() {
  try {
    importScripts(READER);
    // Unless it is told, the reader fetches its other half from another site.
    const overrides = { locateFile: () => new URL(WASM, self.location.href).href };
    await ZXingWASM.prepareZXingModule({ overrides, fireImmediately: true });
  } catch (error) {
    throw new Error(`The reader of QR codes cannot be used here: ${error?.message ?? error}`);
  }
}

addEventListener("message", async ({ data: { id, image } }) => {
  try {
    await loaded;
    const start = performance.now();
    const text = await read(image);
    postMessage({ id, text, ms: performance.now() - start });
  } catch (error) {
    postMessage({ id, error: error?.message ?? `${error}` });
  }
});

async function read(image) {
  const [code] = await ZXingWASM.readBarcodes(pictureOf(image), OPTIONS);
  return code ? textOf(code) : null;
}

function pictureOf(image) {
  if (image instanceof ImageData) return image;
  try {
    return new ImageData(new Uint8ClampedArray(image.data), image.width, image.height);
  } catch (error) {
    throw new Error(`The picture cannot be read: ${error.message}`);
  }
}

// Codes rarely say which letters their bytes are: what is valid UTF-8 is UTF-8, and the rest is the reader's guess.
function textOf({ hasECI, bytes, text }) {
  if (hasECI) return text;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return text;
  }
}
