// Pictures of codes, for a camera that plays a file, and for photos.

import { closeSync, openSync, writeSync } from "node:fs";

const SIZE = { width: 640, height: 480 };

/**
 * Draws frames with the codes of tokens, as their pages have them: each `{ path, dark, damaged }`, or null for a frame
 * without a code. Done by a browser that is signed in; tells the shades of grey of each.
 */
export async function drawFrames(page, codes) {
  const drawn = await page.evaluate(
    async ({ codes, width, height }) => {
      const canvas = Object.assign(document.createElement("canvas"), { width, height });
      const context = canvas.getContext("2d", { willReadFrequently: true });
      const frames = [];
      for (const code of codes) {
        context.fillStyle = code?.dark ? "#101010" : "#d8d8d8";
        context.fillRect(0, 0, width, height);
        if (code) {
          const picture = await createImageBitmap(await (await fetch(`${code.path}/qr_code`)).blob());
          context.save();
          context.translate(width / 2, height / 2);
          context.rotate(0.1);
          // White on black: as some tickets are printed, and many phones show them.
          if (code.dark) context.filter = "invert(1)";
          context.imageSmoothingEnabled = false;
          context.drawImage(picture, -150, -150, 300, 300);
          context.restore();
          context.fillStyle = "#d8d8d8";
          // More than error correction makes up for.
          if (code.damaged) context.fillRect(width / 2 - 100, height / 2 - 100, 200, 200);
        }
        const { data } = context.getImageData(0, 0, width, height);
        let text = "";
        for (let at = 0; at < data.length; at += 4) text += String.fromCharCode(data[at]);
        frames.push(btoa(text));
      }
      return frames;
    },
    { codes, ...SIZE },
  );
  return drawn.map((text) => Buffer.from(text, "base64"));
}

/** Writes frames as the file that Chromium takes for a camera, each for as long as `repeat` says, at 20 a second. */
export function writeVideo(file, frames, repeat) {
  const { width, height } = SIZE;
  const noColour = Buffer.alloc((width * height) / 2, 128);
  const video = openSync(file, "w");
  writeSync(video, `YUV4MPEG2 W${width} H${height} F20:1 Ip A1:1 C420jpeg\n`);
  for (const frame of frames) {
    for (let turn = 0; turn < repeat; turn += 1) {
      writeSync(video, "FRAME\n");
      writeSync(video, frame);
      writeSync(video, noColour);
    }
  }
  closeSync(video);
}
