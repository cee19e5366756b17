import BenchmarkInstance
import Glibc
import TestSupport

/// What delivery has to reach, in one run:
///
///     swift build -c release --static-swift-stdlib
///     TOCSIN_TEST_DATABASE_URL=postgresql:///postgres?host=… .build/release/delivery-benchmark [rounds] [port]
///     .build/release/delivery-benchmark latency [rounds] [port]
///     TOCSIN_TEST_DATABASE_URL=… .build/release/delivery-benchmark chaos [deliveries] [kills]
///
/// `latency` is the part of it that goes through an instance of its own, with nginx, workers and PostgreSQL as `deploy/run`
/// starts them from the programs beside this one.
/// Figures are medians over the rounds; the server, the receiver and all programs share the machine. `chaos` crashes the
/// server, which must be a throwaway one: see ``Chaos``.
@main
struct DeliveryBenchmark {
  static func main() throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    let numbers = arguments.compactMap { Int($0) }
    let rounds = numbers.first ?? 3
    let port = numbers.dropFirst().first ?? 8903
    switch arguments.first {
    case "receiver": Receiver.run()
    case "chaos": try Chaos(deliveries: numbers.first ?? 20_000, kills: numbers.dropFirst().first ?? 50).run()
    case "latency":
      printHead()
      try latency(rounds: rounds, port: port)
    default:
      printHead()
      let rates = try (0..<rounds).map { _ in try throughput(deliveries: 30_000) }
      row("HTTP deliveries/s from one process, bookkeeping included", median(rates), "≥ 5000")
      try latency(rounds: rounds, port: port)
      let leases = try leasing()
      row("look and lease of 100 deliveries, ms", leases.alone, "")
      row("the same beside a million rows that wait, ms", leases.besideMillion, "+ 20 %")
    }
  }

  private static func latency(rounds: Int, port: Int) throws {
    let instance = try Instance(
      port: port, workers: 4, programs: Program.directory, settings: ["ALERTING_OUTBOUND_ALLOW": "127.0.0.0/8"])
    defer { instance.stop() }
    try instance.startDelivering()
    // What the start has written would go to the disk half a minute later, and hold up commits in the midst of a round.
    sync()
    let latency = Latency(instance: instance)
    var plain: [[Double]] = []
    var beside: [[Double]] = []
    for round in 0..<rounds {
      // Each second round goes backwards, so that what comes with time, such as a vacuum, is not always the same one's burden.
      for isOneHanging in round.isMultiple(of: 2) ? [false, true] : [true, false] {
        let latencies = try latency.measure(perSecond: 100, seconds: 20, isOneHanging: isOneHanging)
        if isOneHanging { beside.append(latencies) } else { plain.append(latencies) }
      }
    }
    row("POST to receiver at 100 alerts/s, p50, ms", median(plain.map { quantile(0.5, of: $0) }), "≤ 15")
    row("the same, p99, ms", median(plain.map { quantile(0.99, of: $0) }), "≤ 60")
    row(
      "with one of ten receivers hanging, p99 of the others, ms", median(beside.map { quantile(0.99, of: $0) }),
      "+ 20 %")
  }

  private static func printHead() { print("| what | figure | bar |\n|---|---|---|") }

  private static func row(_ name: String, _ figure: Double, _ bar: String) {
    let hundredths = Int((figure * 100).rounded())
    let tail = hundredths % 100
    defer { fflush(nil) }
    print("| \(name) | \(hundredths / 100).\(tail < 10 ? "0" : "")\(tail) | \(bar) |")
  }

  private static func quantile(_ share: Double, of sorted: [Double]) -> Double {
    sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
  }
}
