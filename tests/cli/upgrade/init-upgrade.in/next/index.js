export default {}; // of this release
