export default {}; // of the release before, and edited
