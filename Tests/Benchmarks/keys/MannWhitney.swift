/// The rank test of Mann and Whitney: whether figures of one kind tend to be larger than those of another, however they are
/// distributed.
struct MannWhitney {
  /// How often a figure of the first kind is the larger one of two, equal ones counted half.
  let share: Double
  /// By how many standard deviations that is from what chance gives of equal kinds: past 3, one time in 370.
  let z: Double

  init(_ figures: [Double], against others: [Double]) {
    let all = (figures.map { ($0, true) } + others.map { ($0, false) }).sorted { $0.0 < $1.0 }
    var rankSum = 0.0
    var start = 0
    while start < all.count {
      let end = all[start...].firstIndex { $0.0 != all[start].0 } ?? all.count
      // Ranks are counted from 1; equal figures have the mean of theirs.
      let rank = Double(start + end + 1) / 2
      rankSum += rank * Double(all[start..<end].count { $0.1 })
      start = end
    }
    let (n, m) = (Double(figures.count), Double(others.count))
    let u = rankSum - n * (n + 1) / 2
    share = u / (n * m)
    z = (u - n * m / 2) / (n * m * (n + m + 1) / 12).squareRoot()
  }
}
