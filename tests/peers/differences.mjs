// What differs through the Worker, by suite and test, each with the reason why it must.

export const DIFFERENCES = {};
