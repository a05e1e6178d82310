// Remembers the instances of wasm that are made after this module has been read.
const memories = [];
const Instance = WebAssembly.Instance;

WebAssembly.Instance = function (...args) {
  const instance = new Instance(...args);
  memories.push(instance.exports.memory);
  return instance;
};

/** How many bytes their memories have together. */
export const bytes = () => memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0);
