/**
 * The function of a proxy auto-configuration file, in ECMAScript 3, which every reader of such files supports. Three
 * values stand before it: `PROXY`, `LISTS` and `EMBEDDINGS`.
 *
 * It reads hosts as browsers write them and looks up no names. Everything it does not recognise goes to the agent, and so
 * do names at ports for which `block` has addresses. So it sends nothing directly that the agent would not send directly,
 * except to the agent's own ports: the agent refuses them, and a browser on its machine reaches them anyway.
 */
export const FIND_PROXY = String.raw`function FindProxyForURL(url, host) {
  function portOf(text) {
    var parts = /^([a-z][a-z0-9+.\-]*):\/\/([^\/?#\\]*)/i.exec(text);
    if (!parts) return 0;
    var authority = parts[2].substring(parts[2].lastIndexOf("@") + 1);
    var port = /^(?:\[[^\]]*\]|[^:]*):(\d+)$/.exec(authority);
    if (port) return parseInt(port[1], 10);
    var known = { http: 80, ws: 80, https: 443, wss: 443, ftp: 21 };
    var scheme = parts[1].toLowerCase();
    return known.hasOwnProperty(scheme) ? known[scheme] : 0;
  }

  function binary(number, width) {
    var digits = number.toString(2);
    while (digits.length < width) digits = "0" + digits;
    return digits;
  }

  function bitsOfIPv4(text) {
    var parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
    var bits = "";
    for (var i = 1; parts && i <= 4; i++) {
      if (/^0\d/.test(parts[i]) || parts[i] > 255) return "";
      bits += binary(parseInt(parts[i], 10), 8);
    }
    return bits;
  }

  function bitsOfGroups(text) {
    var bits = "";
    var groups = text === "" ? [] : text.split(":");
    for (var i = 0; i < groups.length; i++) {
      if (/^[0-9a-f]{1,4}$/.test(groups[i])) bits += binary(parseInt(groups[i], 16), 16);
      else return "?";
    }
    return bits;
  }

  function bitsOfIPv6(text) {
    var halves = text.split("::");
    if (halves.length > 2) return "";
    var head = bitsOfGroups(halves[0]);
    if (halves.length === 1) return head.length === 128 ? head : "";
    var tail = bitsOfGroups(halves[1]);
    if (head === "?" || tail === "?" || head.length + tail.length > 112) return "";
    while (head.length + tail.length < 128) head += "0";
    return head + tail;
  }

  // An IPv4 address as 32 digits, an IPv6 address as 128, anything else as an empty text.
  function bitsOf(text) {
    if (text.indexOf(":") < 0) return bitsOfIPv4(text);
    var bits = bitsOfIPv6(text);
    return /^0{80}1{16}/.test(bits) ? bits.substring(96) : bits;
  }

  function embeddedIn(bits) {
    for (var i = 0; bits.length === 128 && i < EMBEDDINGS.length; i++) {
      if (!new RegExp(EMBEDDINGS[i].pattern).test(bits)) continue;
      var found = [];
      for (var k = 0; k < EMBEDDINGS[i].at.length; k++) {
        var at = EMBEDDINGS[i].at[k];
        var part = bits.substring(Math.abs(at), Math.abs(at) + 32);
        found.push(at < 0 ? part.replace(/./g, function (bit) { return bit === "0" ? "1" : "0"; }) : part);
      }
      return found;
    }
    return [];
  }

  function covers(rule, name, forms, port) {
    if (rule.port && rule.port !== port) return false;
    if (rule.name) return name === rule.name;
    if (rule.below) return name.length > rule.below.length && name.slice(-rule.below.length) === rule.below;
    for (var i = 0; i < forms.length; i++) {
      if (forms[i].length === rule.size && forms[i].indexOf(rule.bits) === 0) return true;
    }
    return false;
  }

  function find(rules, name, forms, port) {
    for (var i = 0; i < rules.length; i++) {
      if (covers(rules[i], name, forms, port)) return true;
    }
    return false;
  }

  function isJudged(port) {
    for (var i = 0; i < LISTS.judged.length; i++) {
      if (LISTS.judged[i] === port) return true;
    }
    return false;
  }

  var text = host.toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  var bits = bitsOf(text);
  var isName = /^[a-z0-9_\-]{1,63}(\.[a-z0-9_\-]{1,63})*$/.test(text) && text.length <= 253 &&
    !/(^|\.)(\d+|0x[0-9a-f]*)$/.test(text);
  if (!bits && !isName) return PROXY;
  var name = bits ? "" : text;
  var forms = bits ? [bits] : [];
  var port = portOf(url);
  if (!port || name && isJudged(port)) return PROXY;
  if (find(LISTS.block, name, forms.concat(embeddedIn(bits)), port)) return PROXY;
  return find(LISTS.bypass, name, forms, port) ? "DIRECT" : PROXY;
}
`;
