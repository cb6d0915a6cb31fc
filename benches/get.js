// The GET of get.yaml for k6: k6 run --vus 64 --duration 8s -e TARGET=URL benches/get.js
import http from "k6/http";

export const options = { discardResponseBodies: true };

export default function () {
  http.get(`${__ENV.TARGET}/`);
}
