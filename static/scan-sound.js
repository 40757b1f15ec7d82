// What a verdict sounds and feels like: each of the four is told apart without looking. Made here, not played from files.
"use strict";

window.scanSound = (() => {
  // Frequency in hertz, start and length in seconds, and the shape of the wave.
  const TONES = {
    good: [[880, 0, 0.09, "sine"], [1320, 0.1, 0.14, "sine"]],
    refused: [[180, 0, 0.45, "sawtooth"]],
    look: [[520, 0, 0.12, "square"], [520, 0.2, 0.12, "square"]],
    wait: [[440, 0, 0.05, "sine"]],
    again: [[700, 0, 0.05, "sine"]],
  };
  const VIBRATIONS = { good: [60], refused: [400], look: [120, 80, 120], wait: [20], again: [20] };
  const SETTING = "scan sound";
  const button = document.querySelector("[data-sound]");
  let isOn = true;
  let context;

  try {
    isOn = localStorage.getItem(SETTING) !== "off";
  } catch {
    // It is on until it is switched off.
  }

  function tell() {
    button.textContent = isOn ? "Sound on" : "Sound off";
  }
  button.hidden = false;
  tell();
  button.addEventListener("click", () => {
    isOn = !isOn;
    tell();
    unlock();
    play("good");
    try {
      localStorage.setItem(SETTING, isOn ? "on" : "off");
    } catch {
      // For this visit, then.
    }
  });

  /** Browsers let a page sound only after a tap or a key. */
  function unlock() {
    const Audio = window.AudioContext;
    if (!Audio) return;
    context ??= new Audio();
    if (context.state === "suspended") context.resume().catch(() => {});
  }

  function play(kind) {
    // Nor does a page vibrate before that, and browsers complain of the attempt.
    if (navigator.userActivation?.hasBeenActive !== false) navigator.vibrate?.(VIBRATIONS[kind] ?? []);
    if (!isOn || !context || context.state !== "running") return;
    for (const [frequency, start, length, type] of TONES[kind] ?? []) {
      const tone = new OscillatorNode(context, { frequency, type });
      const volume = new GainNode(context, { gain: 0.2 });
      const at = context.currentTime + start;
      volume.gain.setValueAtTime(0.2, at);
      volume.gain.exponentialRampToValueAtTime(0.001, at + length);
      tone.connect(volume).connect(context.destination);
      tone.start(at);
      tone.stop(at + length);
    }
  }

  return { unlock, play };
})();
