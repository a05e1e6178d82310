// stands in for the Worker of Countersign
