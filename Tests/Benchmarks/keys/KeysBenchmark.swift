import BenchmarkInstance
import Foundation
import Store

/// Whether the time of a refusal tells how much of a wrong key is right: the same call through nginx, over one connection that is
/// kept, with keys that differ from a good one in one place or in all, in an order that is drawn anew each round.
///
///     swift run -c release keys-benchmark [rounds] [port] [programs]
///
/// Two kinds of keys that have nothing in common with the good one show what chance alone makes of it.
@main
struct KeysBenchmark {
  static func main() throws {
    let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 5000
    let port = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 8902
    let programs = CommandLine.arguments.dropFirst(3).first
    let instance = try Instance(port: port, workers: 2, programs: programs)
    defer { instance.stop() }
    let kinds = try kinds(on: instance)
    let connection = try HTTPConnection(port: port)
    var samples = kinds.map { _ in [Double]() }
    for round in -100..<rounds {
      for index in kinds.indices.shuffled() {
        let seconds = try kinds[index].seconds(over: connection)
        if round >= 0 { samples[index].append(seconds * 1e6) }
      }
    }
    printTable(kinds, samples)
  }

  /// A kind of key, and what is answered to it.
  struct Kind {
    let name: String
    let status: Int
    let key: () -> String

    func seconds(over connection: HTTPConnection) throws -> Double {
      let request = """
        GET /api/v1/alerts/rules?per_page=1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(key())\r\n\r\n
        """
      let bytes = Array(request.utf8)
      let start = ContinuousClock.now
      let answer = try connection.answer(to: bytes)
      let duration = ContinuousClock.now - start
      guard answer.hasPrefix("HTTP/1.1 \(status) ") else { throw CommandFailed(command: name, output: answer) }
      return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
  }

  /// The good key has no checksum, as one from before there were checksums, so that no change of it is told as a typo.
  static func kinds(on instance: Instance) throws -> [Kind] {
    let (good, revoked, other) = (randomKey(), randomKey(), randomKey())
    try instance.sql(
      """
      INSERT INTO tenants (tenant_id) VALUES ('timing'), ('elsewhere');
      INSERT INTO api_keys (tenant_id, key_id, name, role, digest, revoked_at)
      VALUES
        ('timing', 'good', 'good', 'viewer', sha256('\(good)'), NULL),
        ('timing', 'revoked', 'revoked', 'viewer', sha256('\(revoked)'), now()),
        ('elsewhere', 'other', 'other', 'ingest', sha256('\(other)'), NULL);
      INSERT INTO api_keys (tenant_id, key_id, name, role, digest)
      SELECT 'elsewhere', 'filler-' || number, 'filler', 'viewer', sha256(number::text::bytea)
      FROM generate_series(1, 5000) AS number;
      ANALYZE api_keys;
      """)
    return [
      Kind(name: "all of it is wrong", status: 401, key: randomKey),
      Kind(name: "all of it is wrong, once more", status: 401, key: randomKey),
      Kind(name: "the first digit is wrong", status: 401) { changed(good, at: 7) },
      Kind(name: "a digit in the middle is wrong", status: 401) { changed(good, at: 39) },
      Kind(name: "the last digit is wrong", status: 401) { changed(good, at: 70) },
      Kind(name: "all but the first digit is wrong", status: 401) {
        good.prefix(8).description + randomKey().dropFirst(8)
      },
      Kind(name: "it was revoked", status: 401) { revoked },
      Kind(name: "another tenant's, of another role", status: 403) { other },
      Kind(name: "the checksum is wrong", status: 401) { mistyped() },
      Kind(name: "it is good", status: 200) { good },
    ]
  }

  private static let digits = Array("0123456789abcdef")

  private static func randomKey() -> String { "tocsin_" + String((0..<64).map { _ in digits.randomElement() ?? "0" }) }

  /// The key with another digit in one place.
  private static func changed(_ key: String, at place: Int) -> String {
    var characters = Array(key)
    characters[place] = digits.filter { $0 != characters[place] }.randomElement() ?? "0"
    return String(characters)
  }

  private static func mistyped() -> String {
    let key = KeyForm.make()
    return changed(key, at: key.count - 1)
  }

  static func printTable(_ kinds: [Kind], _ samples: [[Double]]) {
    print(
      "\n| of the key | answer | median µs | 10 % | 90 % | median against the first | slower than the first in | z |")
    print("|---|---|---|---|---|---|---|---|")
    let reference = samples[0].sorted()
    for (kind, times) in zip(kinds, samples) {
      let sorted = times.sorted()
      let at = { (share: Double) in sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))] }
      let test = MannWhitney(times, against: samples[0])
      print(
        "| \(kind.name) | \(kind.status) | \(told(at(0.5))) | \(told(at(0.1))) | \(told(at(0.9))) |"
          + " \(told(at(0.5) - reference[reference.count / 2])) | \(told(test.share * 100)) % | \(told(test.z)) |")
    }
    print(
      "\n50 % and a z between -3 and 3 is what the same time for both comes to; \(samples[0].count) calls of each kind."
    )
  }

  private static func told(_ number: Double) -> String { String(format: "%.1f", number) }
}
