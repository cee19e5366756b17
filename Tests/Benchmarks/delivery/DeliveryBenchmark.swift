import Glibc
import TestSupport

/// What delivery has to reach, in one run:
///
///     for program in delivery-benchmark deliver policies process-event; do swift build -c release --product $program; done
///     TOCSIN_TEST_DATABASE_URL=postgresql:///postgres?host=… .build/release/delivery-benchmark [rounds]
///     … .build/release/delivery-benchmark chaos [deliveries] [kills]
///
/// Figures are medians over the rounds; the server, the receiver and all programs share the machine. `chaos` crashes the
/// server, which must be a throwaway one: see ``Chaos``.
@main
struct DeliveryBenchmark {
  static func main() throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch arguments.first {
    case "receiver": Receiver.run()
    case "chaos":
      let numbers = arguments.dropFirst().compactMap { Int($0) }
      try Chaos(deliveries: numbers.first ?? 20_000, kills: numbers.dropFirst().first ?? 50).run()
    default: try table(rounds: arguments.first.flatMap { Int($0) } ?? 3)
    }
  }

  private static func table(rounds: Int) throws {
    print("| what | figure | bar |")
    print("|---|---|---|")
    let rates = try (0..<rounds).map { _ in try throughput(deliveries: 30_000) }
    row("HTTP deliveries/s from one process, bookkeeping included", median(rates), "≥ 5000")
    var plain: [[Double]] = []
    var beside: [[Double]] = []
    for _ in 0..<rounds {
      plain.append(try latencies(perSecond: 100, seconds: 20, isOneHanging: false))
      beside.append(try latencies(perSecond: 100, seconds: 20, isOneHanging: true))
    }
    row("POST to receiver at 100 alerts/s, p50, ms", median(plain.map { quantile(0.5, of: $0) }), "≤ 15")
    row("the same, p99, ms", median(plain.map { quantile(0.99, of: $0) }), "≤ 60")
    row(
      "with one of ten receivers hanging, p99 of the others, ms", median(beside.map { quantile(0.99, of: $0) }),
      "+ 20 %")
    let leases = try leasing()
    row("look and lease of 100 deliveries, ms", leases.alone, "")
    row("the same beside a million rows that wait, ms", leases.besideMillion, "+ 20 %")
  }

  private static func row(_ name: String, _ figure: Double, _ bar: String) {
    let hundredths = Int((figure * 100).rounded())
    let tail = hundredths % 100
    defer { fflush(nil) }
    print("| \(name) | \(hundredths / 100).\(tail < 10 ? "0" : "")\(tail) | \(bar) |")
  }

  private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

  private static func quantile(_ share: Double, of sorted: [Double]) -> Double {
    sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
  }
}
