// Reads codes off the pictures of a camera, and photos: in a worker, and where that cannot be, by the server.
"use strict";

window.scanReader = (() => {
  const { worker: script, read: address } = document.querySelector("[data-camera]").dataset;
  // Milliseconds between two frames for the worker, and for the server, which reads two a second; until the server's
  // answer counts as lost; after which a worker that could read frames does not any more.
  const PAUSE = 60;
  const SERVER_PAUSE = 550;
  const PATIENCE = 10_000;
  const HUNG = 5000;
  // Pixels along the longer side of a picture: enough for a small code, and read in a few milliseconds.
  const SIDE = 1280;
  const PHOTO_SIDE = 2400;
  const TURNS = 6;

  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let worker;
  let isReady = false;
  let reads = 0;
  const answers = new Map();

  /** Begins to load the worker. */
  function start() {
    if (worker !== undefined) return;
    try {
      worker = new Worker(script);
    } catch {
      worker = null;
      return;
    }
    worker.onerror = () => giveUp();
    worker.onmessage = ({ data }) => {
      isReady = true;
      if (data.id === undefined) return void (data.error && giveUp());
      answers.get(data.id)?.(data.text ?? null);
      answers.delete(data.id);
    };
  }

  function giveUp() {
    worker?.terminate();
    worker = null;
    for (const answer of answers.values()) answer(null);
    answers.clear();
  }

  const later = (milliseconds) => new Promise((go) => setTimeout(go, milliseconds));

  function draw(source, width, height, side) {
    const scale = Math.min(1, side / Math.max(width, height));
    [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
    context.drawImage(source, 0, 0, canvas.width, canvas.height);
  }

  const jpeg = () => new Promise((blob) => canvas.toBlob(blob, "image/jpeg", 0.85));

  function readByWorker(image) {
    const id = (reads += 1);
    return new Promise((answer) => {
      // Until it is ready it is still being fetched, which may take a while.
      const timer = setTimeout(() => isReady && answers.has(id) && giveUp(), HUNG);
      answers.set(id, (text) => {
        clearTimeout(timer);
        answer(text);
      });
      worker.postMessage({ id, image }, [image.data.buffer]);
    });
  }

  async function readByServer(blob) {
    const signal = AbortSignal.timeout(PATIENCE);
    const answer = await fetch(address, { method: "POST", body: blob, headers: { "Content-Type": blob.type }, signal });
    const body = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(body.message), { isBusy: [429, 503].includes(answer.status) });
    return body.text;
  }

  /** What the code in a photo says. Somebody waits for it, and other devices of the same user may be taking the turns. */
  async function readPhoto(file) {
    const picture = await createImageBitmap(file);
    draw(picture, picture.width, picture.height, PHOTO_SIDE);
    const blob = await jpeg();
    for (let turn = 1; ; turn += 1) {
      try {
        return await readByServer(blob);
      } catch (error) {
        if (!error.isBusy || turn === TURNS) throw error;
        await later(1000 + 500 * Math.random());
      }
    }
  }

  /** What the code in a frame says, if there is one. */
  async function readFrame(video) {
    draw(video, video.videoWidth, video.videoHeight, SIDE);
    if (!worker) return readByServer(await jpeg());
    return readByWorker(context.getImageData(0, 0, canvas.width, canvas.height));
  }

  /** Milliseconds until the next frame. Devices of one user whose turns always fall together would shut one another out. */
  const pause = (hasFailed) => (worker ? PAUSE : SERVER_PAUSE * (hasFailed ? 1 + Math.random() : 1));

  return { later, pause, readFrame, readPhoto, start };
})();
