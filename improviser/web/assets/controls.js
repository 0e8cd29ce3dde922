// A control for every live parameter, drawn from the table that the session sends; and who answers.
import { element } from "./element.js";

const PAUSE = 40; // milliseconds between what a slider that is being moved asks for

export class Controls {
  constructor(ask) {
    this.ask = ask;
    this.shown = new Map(); // parameter → {set(value), refuse(text)}
    this.models = [];
  }

  draw(parameters, models, audience) {
    for (const form of ["main", "more"]) {
      document.getElementById(form).replaceChildren(...parameters.filter((each) => each.main === (form === "main")).map((each) => this.control(each, audience)));
    }
    this.drawModels(models, audience);
  }

  control(parameter, audience) {
    const { name, kind } = parameter, row = element("div", { className: "control" }), id = `parameter-${name}`;
    const label = element("label", { htmlFor: id, textContent: words(name) });
    const help = element("small", { id: `${id}-help`, textContent: parameter.note ? `${parameter.help} ${parameter.note}.` : parameter.help });
    const refusal = element("p", { className: "refusal", id: `${id}-refusal` });
    refusal.setAttribute("role", "alert");
    const { input, extras, read, write } = fields[kind]?.(parameter, id) ?? fields.table(parameter, id);
    input.id = id;
    input.name = name;
    input.disabled = audience || kind === "table";
    input.setAttribute("aria-describedby", `${help.id} ${refusal.id}`);
    let held = parameter.default, asking = 0, timer = null;
    const send = async () => {
      timer = null;
      const value = read();
      if (value === null) return;
      asking += 1;
      const reply = await this.ask({ type: "set", parameter: name, value });
      asking -= 1;
      refusal.textContent = reply.ok ? "" : reply.error;
      if (!reply.ok && asking === 0) write(reply.value ?? held);
    };
    const soon = () => { timer ??= setTimeout(send, PAUSE); };
    input.addEventListener(kind === "number" ? "input" : "change", soon);
    if (kind === "number") input.addEventListener("input", () => write.tell?.(input.value));
    row.append(label, ...extras, input, help, refusal);
    if (kind !== "number") row.replaceChildren(label, input, help, refusal);
    write(held);
    this.shown.set(name, (value) => {
      held = value;
      if (asking === 0 && timer === null) write(value);
    });
    return row;
  }

  drawModels(models, audience) {
    const group = document.getElementById("models"), boxes = models.map((name, number) => {
      const box = element("input", { type: "checkbox", value: name, id: `model-${number}`, disabled: audience });
      box.addEventListener("change", () => this.chooseModels(box));
      const label = element("label", {});
      label.append(box, element("span", { textContent: name }));
      return label;
    });
    const refusal = element("p", { className: "refusal" });
    refusal.setAttribute("role", "alert");
    group.replaceChildren(group.querySelector("legend"), ...boxes, refusal);
    const other = element("span", { className: "soft" });
    group.append(other);
    this.shown.set("model", (playing) => {
      this.models = playing;
      for (const box of group.querySelectorAll("input")) box.checked = playing.includes(box.value);
      const strangers = playing.filter((name) => !models.includes(name));
      other.textContent = strangers.length ? `and ${strangers.join(", ")}` : "";
    });
    this.refuseModels = (error) => { refusal.textContent = error; };
  }

  async chooseModels(box) {
    const chosen = box.checked ? [...this.models, box.value] : this.models.filter((name) => name !== box.value);
    if (chosen.length === 0) {
      this.refuseModels("somebody has to answer");
      this.set("model", this.models);
      return;
    }
    const reply = await this.ask({ type: "set", parameter: "model", value: chosen });
    this.refuseModels(reply.ok ? "" : reply.error);
    if (!reply.ok) this.set("model", this.models);
  }

  set(name, value) { this.shown.get(name)?.(value); }
}

const fields = {
  number({ low, high, step, whole, unit }, id) {
    const input = element("input", { type: "range", min: low, max: high, step: whole ? 1 : step === 1 ? "any" : step / 5 });
    const output = element("output", { htmlFor: id });
    const tell = (value) => {
      const said = `${whole ? Math.round(value) : Number(Number(value).toFixed(3))}${unit ? ` ${unit}` : ""}`;
      output.textContent = said;
      input.setAttribute("aria-valuetext", said);
    };
    const write = (value) => { input.value = value; tell(value); };
    write.tell = tell;
    return { input, extras: [output], read: () => (whole ? Math.round(Number(input.value)) : Number(Number(input.value).toFixed(3))), write };
  },
  switch() {
    const input = element("input", { type: "checkbox" });
    input.setAttribute("role", "switch");
    return { input, extras: [], read: () => input.checked, write: (value) => { input.checked = value; } };
  },
  choice({ choices }) {
    const input = element("select", {});
    input.append(...choices.map((choice) => element("option", { value: choice, textContent: choice })));
    return { input, extras: [], read: () => input.value, write: (value) => { input.value = value; } };
  },
  // A scale: the usual ones to choose from; another that is set elsewhere is added.
  text({ choices }) {
    const field = fields.choice({ choices });
    const write = (value) => {
      if (![...field.input.options].some((option) => option.value === value)) field.input.append(element("option", { value, textContent: value }));
      field.input.value = value;
    };
    return { ...field, write };
  },
  table() {
    const input = element("output", {});
    return { input, extras: [], read: () => null, write: (value) => { input.textContent = Object.entries(value).map(([name, its]) => `${name}: ${typeof its === "object" ? JSON.stringify(its) : its}`).join(", ") || "none"; } };
  },
};

function words(name) { return name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " "); }
