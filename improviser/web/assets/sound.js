// The sound: samples of the built-in synthesiser, put together as it does: layers, release, panning, room, limiter.
const STEAL_AFTER = 48, SUSTAIN = 64, ALL_SOUND_OFF = 120, ALL_NOTES_OFF = 123, PEDAL_DOWN = 64;

export class Sound {
  constructor(changed) {
    this.changed = changed;
    this.context = null;
    this.on = false;
    this.loaded = 0;
    this.volumes = { player: 0.8, improviser: 0.8 };
    this.parts = null;
    this.voices = new Map(); // "part channel pitch" → {released, gain, sources, …}
    this.kept = new Map(); // what a pedal keeps: "part channel" → voices
    this.pedals = new Set();
    this.awaited = new Map(); // our own notes, heard at once: what the session tells of them is not played again
  }

  // Begin, or go on; browsers allow that only while something is being pressed.
  async start() {
    this.on = true;
    if (this.context === null) {
      this.context = new AudioContext({ latencyHint: "interactive" });
      this.loading = this.load();
    }
    await this.context.resume();
    this.changed();
    await this.loading;
  }

  async stop() {
    this.on = false;
    this.silence();
    await this.context?.suspend();
    this.changed();
  }

  get delay() {
    if (this.context === null) return null;
    return (this.context.baseLatency + (this.context.outputLatency || 0)) * 1000;
  }

  setVolume(part, volume) {
    this.volumes[part] = volume;
    if (this.parts) this.parts[part].out.gain.setTargetAtTime(volume ** 2, this.context.currentTime, 0.01);
  }

  async load() {
    const described = await (await fetch("sound/parts.json")).json(), { context } = this;
    const limiter = new WaveShaperNode(context, { curve: limit(described.knee) });
    const mix = new GainNode(context, { gain: described.loudness });
    mix.connect(limiter).connect(context.destination);
    this.parts = {};
    for (const [name, part] of Object.entries(described.parts)) {
      const out = new GainNode(context, { gain: this.volumes[name] ** 2 });
      out.connect(new StereoPannerNode(context, { pan: part.pan })).connect(mix);
      this.parts[name] = { ...part, out };
    }
    const buffer = async (name) => context.decodeAudioData(await (await fetch(`sound/${name}`)).arrayBuffer());
    const room = new ConvolverNode(context, { disableNormalization: true, buffer: await buffer(described.room.name) });
    const sent = new GainNode(context, { gain: 2 * described.room.gain, channelCount: 1, channelCountMode: "explicit" });
    mix.connect(sent).connect(room).connect(limiter);
    // The middle first: that is where one plays.
    const wanted = Object.values(described.parts).flatMap((part) => part.layers.flatMap((layer) => layer.samples));
    wanted.sort((one, other) => Math.abs(one.pitch - 60) - Math.abs(other.pitch - 60));
    for (let at = 0; at < wanted.length; at += 4) {
      await Promise.all(wanted.slice(at, at + 4).map(async (sample) => { sample.buffer = await buffer(sample.name); }));
      this.loaded = Math.min(1, (at + 4) / wanted.length);
      this.changed();
    }
  }

  // A note of this page's own hands: heard before the session tells of it.
  own(channel, pitch, velocity) {
    const place = `${channel} ${pitch}`;
    this.awaited.set(place, (this.awaited.get(place) ?? 0) + 1);
    this.play("player", channel, pitch, velocity);
  }

  ownEnds(channel, pitch) { this.end("player", channel, pitch); }

  begins(part, channel, pitch, velocity) {
    const place = `${channel} ${pitch}`, awaited = part === "player" ? this.awaited.get(place) ?? 0 : 0;
    if (awaited > 0) this.awaited.set(place, awaited - 1);
    else this.play(part, channel, pitch, velocity);
  }

  ends(part, channel, pitch) { this.end(part, channel, pitch); }

  play(name, channel, pitch, velocity) {
    if (!this.on || !this.parts) return;
    this.cut(`${name} ${channel} ${pitch}`);
    const part = this.parts[name], { context } = this, gain = new GainNode(context), sources = [];
    for (const layer of part.layers) {
      const ready = layer.samples.filter((sample) => sample.buffer);
      if (ready.length === 0) continue;
      const sample = ready.reduce((one, other) => (Math.abs(other.pitch - pitch) < Math.abs(one.pitch - pitch) ? other : one));
      const source = new AudioBufferSourceNode(context, { buffer: sample.buffer, playbackRate: 2 ** ((pitch - sample.pitch) / 12) });
      if (sample.loop) { source.loop = true; [source.loopStart, source.loopEnd] = sample.loop; }
      source.connect(new GainNode(context, { gain: sample.gain * layer.gains[Math.round(velocity)] })).connect(gain);
      source.start();
      sources.push(source);
    }
    gain.connect(part.out);
    const voice = { gain, sources, release: part.release };
    this.voices.set(`${name} ${channel} ${pitch}`, voice);
    if (this.voices.size > STEAL_AFTER) this.cut(this.voices.keys().next().value);
  }

  end(part, channel, pitch) {
    const place = `${part} ${channel} ${pitch}`, voice = this.voices.get(place);
    if (voice === undefined) return;
    this.voices.delete(place);
    const pedal = `${part} ${channel}`;
    if (this.pedals.has(pedal)) this.kept.set(pedal, [...(this.kept.get(pedal) ?? []), voice]);
    else fade(this.context, voice);
  }

  cut(place) {
    const voice = this.voices.get(place);
    if (voice !== undefined) fade(this.context, voice);
    this.voices.delete(place);
  }

  control(part, channel, control, value) {
    const pedal = `${part} ${channel}`;
    if (control === SUSTAIN && value >= PEDAL_DOWN) this.pedals.add(pedal);
    else if (control === SUSTAIN) {
      this.pedals.delete(pedal);
      for (const voice of this.kept.get(pedal) ?? []) fade(this.context, voice);
      this.kept.delete(pedal);
    } else if (control === ALL_SOUND_OFF || control >= ALL_NOTES_OFF) {
      for (const place of [...this.voices.keys()]) if (place.startsWith(`${pedal} `)) this.cut(place);
    }
  }

  silence() {
    for (const place of [...this.voices.keys()]) this.cut(place);
    for (const voices of this.kept.values()) for (const voice of voices) fade(this.context, voice);
    this.kept.clear();
    this.pedals.clear();
    this.awaited.clear();
  }
}

function fade(context, { gain, sources, release }) {
  const now = context.currentTime, steps = 24;
  const curve = Float32Array.from({ length: steps }, (_, step) => 0.5 + 0.5 * Math.cos((Math.PI * step) / (steps - 1)));
  gain.gain.setValueCurveAtTime(curve, now, release);
  for (const source of sources) source.stop(now + release + 0.01);
}

// Louder than the knee it is bent, so that nothing is cut off at full scale.
function limit(knee) {
  return Float32Array.from({ length: 4097 }, (_, step) => {
    const loud = (step / 2048 - 1) * 1, size = Math.abs(loud);
    return size <= knee ? loud : Math.sign(loud) * (knee + (1 - knee) * Math.tanh((size - knee) / (1 - knee)));
  });
}
