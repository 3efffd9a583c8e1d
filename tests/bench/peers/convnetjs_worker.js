// ConvNetJS on Node: one example at a time, as that library works, and an update each mini-batch.
//
//     node convnetjs_worker.js path/to/node_modules/convnetjs
//
// Answers each line {"net": "a", "sizes": [64, 32, 10], "batch": 32, "filters": [], "steps": 200} on
// standard input with the seconds that so many further steps took.

const path = require("path");
const readline = require("readline");
const convnetjs = require(path.resolve(process.argv[2]));

const EXAMPLES = 1800;
const nets = new Map();

function layers(sizes, filters) {
  const image = filters.length > 0;
  const classes = sizes[sizes.length - 1];
  const side = Math.round(Math.sqrt(sizes[0]));
  const input = image ? [side, side, 1] : [1, 1, sizes[0]];
  const definition = [{ type: "input", out_sx: input[0], out_sy: input[1], out_depth: input[2] }];
  for (const count of filters) {
    definition.push({ type: "conv", sx: 5, filters: count, stride: 1, pad: 0, activation: "relu" });
    definition.push({ type: "pool", sx: 2, stride: 2 });
  }
  for (const units of image ? [] : sizes.slice(1, -1)) {
    definition.push({ type: "fc", num_neurons: units, activation: "relu" });
  }
  definition.push({ type: "softmax", num_classes: classes });
  return { definition, input };
}

function build({ sizes, filters, batch }) {
  const { definition, input } = layers(sizes, filters);
  const net = new convnetjs.Net();
  net.makeLayers(definition);
  const trainer = new convnetjs.SGDTrainer(net, {
    learning_rate: 0.01,
    momentum: 0.9,
    batch_size: batch,
    l2_decay: 1e-4 * batch, // it divides the decay by the batch
  });
  const order = Array.from({ length: EXAMPLES }, (_, i) => i);
  const x = order.map(() => {
    const vol = new convnetjs.Vol(input[0], input[1], input[2], 0);
    for (let i = 0; i < vol.w.length; i++) vol.w[i] = convnetjs.randn(0, 1);
    return vol;
  });
  const y = order.map(() => convnetjs.randi(0, sizes[sizes.length - 1]));
  let place = EXAMPLES;
  return (steps) => {
    for (let step = 0; step < steps; step++) {
      if (place + batch > EXAMPLES) {
        for (let i = EXAMPLES - 1; i > 0; i--) {
          const j = Math.floor(Math.random() * (i + 1));
          [order[i], order[j]] = [order[j], order[i]];
        }
        place = 0;
      }
      for (let i = place; i < place + batch; i++) trainer.train(x[order[i]], y[order[i]]);
      place += batch;
    }
  };
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const order = JSON.parse(line);
  if (!nets.has(order.net)) nets.set(order.net, build(order));
  const start = process.hrtime.bigint();
  nets.get(order.net)(order.steps);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  console.log(JSON.stringify({ seconds }));
});
