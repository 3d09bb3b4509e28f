// The microphone's sound as the service takes it: one channel, 16 kHz, signed 16-bit, in pieces of 80 ms. Each output
// sample is the mean of the input samples that it covers, which is filter enough for speech.

const RATE = 16000;
const PIECE = 1280;

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = sampleRate / RATE;
    this.covered = 0; // how much of the output sample under way is filled, in input samples
    this.sum = 0;
    this.piece = new Int16Array(PIECE);
    this.at = 0;
    this.peak = 0;
  }

  process(inputs) {
    const channels = inputs[0];
    if (!channels.length) return true;
    for (let i = 0; i < channels[0].length; i += 1) {
      let value = 0;
      for (const channel of channels) value += channel[i];
      this.take(value / channels.length);
    }
    return true;
  }

  take(value) {
    let left = 1;
    while (left > 0) {
      const share = Math.min(left, this.step - this.covered);
      this.sum += value * share;
      this.covered += share;
      left -= share;
      if (this.step - this.covered > 1e-6) continue;
      this.put(this.sum / this.step);
      this.sum = 0;
      this.covered = 0;
    }
  }

  put(value) {
    const clipped = Math.max(-1, Math.min(1, value));
    this.peak = Math.max(this.peak, Math.abs(clipped));
    this.piece[this.at] = Math.round(clipped * 32767);
    this.at += 1;
    if (this.at < PIECE) return;
    this.port.postMessage({ pcm: this.piece.buffer, peak: this.peak }, [this.piece.buffer]);
    this.piece = new Int16Array(PIECE);
    this.at = 0;
    this.peak = 0;
  }
}

registerProcessor("microphone", Microphone);
