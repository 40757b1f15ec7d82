// The camera: chosen and remembered, started again when the phone takes it away, and honest about why it does not work.
"use strict";

(() => {
  const section = document.querySelector("[data-camera]");
  const video = section.querySelector("video");
  const start = section.querySelector("[data-start]");
  const choose = section.querySelector("select");
  const torch = section.querySelector("[data-torch]");
  const photo = section.querySelector("input[type=file]");
  const message = section.querySelector("[role=status]");
  const CAMERA = "scan camera";
  // Failures in a row until somebody is told.
  const FAILURES = 6;
  const { later, pause, readFrame, readPhoto } = window.scanReader;

  let stream;
  let starting;
  let isWanted = false;
  let isWatching = false;

  section.hidden = false;

  function say(text) {
    message.textContent = text;
    message.hidden = !text;
  }

  async function watch() {
    if (isWatching) return;
    isWatching = true;
    let failures = 0;
    while (isWanted) {
      const isLive = stream?.getVideoTracks()[0]?.readyState === "live";
      const begun = performance.now();
      if (isLive && !document.hidden && video.videoWidth > 0) {
        try {
          const text = await readFrame(video);
          if (text) window.scanSeen(text, "camera");
          if (failures >= FAILURES) say("");
          failures = 0;
        } catch (error) {
          // The next frame, then.
          failures += 1;
          if (failures === FAILURES) say(`The camera's pictures can't be read: ${error.message}`);
        }
      }
      await later(Math.max(pause(failures > 0) - (performance.now() - begun), 5));
    }
    isWatching = false;
  }

  // ---- The camera itself.
  const remembered = () => {
    try {
      return JSON.parse(localStorage.getItem(CAMERA)) ?? {};
    } catch {
      return {};
    }
  };

  function stop() {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = undefined;
    video.srcObject = null;
  }

  /** By its id, or by its label where ids change; else a back camera that is neither the wide one nor the far one. */
  async function chosenCamera() {
    const cameras = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
    const { id, label } = remembered();
    const known = cameras.find((camera) => camera.deviceId === id) ?? cameras.find((camera) => label && camera.label === label);
    const back = cameras.filter((camera) => /back|rear|environment/i.test(camera.label));
    return { cameras, camera: known ?? back.find((camera) => !/wide|ultra|tele/i.test(camera.label)) };
  }

  async function open(deviceId) {
    stop();
    const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
    const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: { ideal: "environment" } };
    stream = await navigator.mediaDevices.getUserMedia({ video: { ...size, ...which }, audio: false });
  }

  async function begin() {
    // A second request would end the first one on iOS.
    if (starting) return;
    starting = true;
    try {
      await open();
      // Labels are known only now that the camera is allowed.
      const { cameras, camera } = await chosenCamera();
      const current = stream.getVideoTracks()[0].getSettings().deviceId;
      if (camera && camera.deviceId !== current) await open(camera.deviceId);
      showStream(cameras);
    } catch (error) {
      stop();
      video.hidden = true;
      start.textContent = "Start camera";
      noCamera(why(error));
      // What is not allowed, or not there, is not asked for again whenever the page is looked at.
      isWanted &&= !["NotAllowedError", "NotFoundError"].includes(error.name);
    } finally {
      starting = false;
    }
  }

  function showStream(cameras) {
    const [track] = stream.getVideoTracks();
    const { deviceId, facingMode } = track.getSettings();
    video.srcObject = stream;
    video.classList.toggle("mirrored", facingMode === "user");
    video.play().catch(() => {});
    video.hidden = false;
    start.textContent = "Stop camera";
    say("");
    track.addEventListener("ended", again);
    track.addEventListener("mute", again);
    choose.replaceChildren(...cameras.map(({ deviceId: id, label }, n) => new Option(label || `Camera ${n + 1}`, id, false, id === deviceId)));
    choose.closest("p").hidden = cameras.length < 2;
    torch.hidden = !track.getCapabilities?.().torch;
    torch.setAttribute("aria-pressed", "false");
  }

  /** What was shown before must not be taken for what the camera sees. */
  function noCamera(reason) {
    say(reason);
    window.scanStage.tell("look", "No camera", reason);
  }

  function why({ name, message: detail }) {
    const reasons = {
      NotAllowedError: "The browser blocks the camera. Allow the camera for this site (tap the icon to the left of the address), then start again. Or take a photo.",
      NotFoundError: "This device has no camera. Type the code, or use a handheld scanner.",
      NotReadableError: "Another app uses the camera. Close the app, then start again.",
      OverconstrainedError: "This camera was disconnected. Start again and choose another camera.",
    };
    if (name === "OverconstrainedError") localStorage.removeItem(CAMERA);
    return reasons[name] ?? `The camera can't be started: ${detail}. Take a photo instead.`;
  }

  /** Phones take the camera away when another program is opened, and do not give it back. */
  function again() {
    const isLive = stream?.getVideoTracks()[0]?.readyState === "live" && !stream.getVideoTracks()[0].muted;
    if (isWanted && !document.hidden && !isLive) begin();
    if (isWanted && !document.hidden) stayAwake();
  }
  document.addEventListener("visibilitychange", again);
  for (const event of ["focus", "pageshow"]) addEventListener(event, again);

  async function stayAwake() {
    try {
      await navigator.wakeLock?.request("screen");
    } catch {
      // It is asked for again when the page is visible again.
    }
  }

  start.addEventListener("click", () => {
    window.scanSound.unlock();
    if (stream) {
      isWanted = false;
      stop();
      video.hidden = true;
      torch.hidden = true;
      start.textContent = "Start camera";
      return;
    }
    if (!window.isSecureContext || !navigator.mediaDevices) {
      noCamera("The camera works only at addresses that start with https. Take a photo instead.");
      return;
    }
    isWanted = true;
    window.scanReader.start();
    stayAwake();
    begin().then(() => isWanted && watch());
  });

  choose.addEventListener("change", async () => {
    const { value: id, text: label } = choose.selectedOptions[0];
    localStorage.setItem(CAMERA, JSON.stringify({ id, label }));
    try {
      await open(id);
      showStream((await chosenCamera()).cameras);
    } catch (error) {
      say(why(error));
    }
  });

  torch.addEventListener("click", async () => {
    const isOn = torch.getAttribute("aria-pressed") === "true";
    try {
      await stream.getVideoTracks()[0].applyConstraints({ advanced: [{ torch: !isOn }] });
      torch.setAttribute("aria-pressed", String(!isOn));
    } catch {
      torch.hidden = true;
    }
  });

  /** What was shown before must not be taken for what is in the photo. */
  function notRead(sentence) {
    window.scanStage.tell("look", "Not read", sentence);
  }

  photo.addEventListener("change", async () => {
    const [file] = photo.files;
    if (!file) return;
    say("Reading the photo.");
    try {
      const text = await readPhoto(file);
      say("");
      if (text) window.scanSeen(text, "photo", { again: true });
      else notRead("No code found in this photo. Move closer and hold still.");
    } catch (error) {
      const isPicture = error.name !== "InvalidStateError" && error.name !== "EncodingError";
      say("");
      notRead(isPicture ? `The photo can't be read: ${error.message}` : "This file is not a photo. Use JPEG or PNG.");
    }
    photo.value = "";
  });

  // ---- The verdict alone, on the whole screen; where browsers have no full screen, as on iPhones, on the whole page.
  const whole = document.querySelector("[data-full-screen]");
  const fill = (isFull) => {
    document.body.classList.toggle("kiosk", isFull);
    whole.textContent = isFull ? "Leave full screen" : "Full screen";
  };
  whole.hidden = false;
  whole.addEventListener("click", () => {
    const isFull = !document.body.classList.contains("kiosk");
    fill(isFull);
    if (isFull) document.documentElement.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) document.exitFullscreen();
    stayAwake();
  });
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement) fill(false);
  });
})();
