using AuditCli.Benchmarks;
using BenchmarkDotNet.Running;

// dotnet run -c Release --project tests/AuditCli.Benchmarks -- scale 20000 200000 [CONTROL]
// dotnet run -c Release --project tests/AuditCli.Benchmarks -- projects 200 2000 [CONTROL]
// dotnet run -c Release --project tests/AuditCli.Benchmarks -- cluster 2000 20000
// dotnet run -c Release --project tests/AuditCli.Benchmarks -- verify
// dotnet run -c Release --project tests/AuditCli.Benchmarks -- reports 20000 200000
// dotnet run -c Release --project tests/AuditCli.Benchmarks -- --filter '*'
return args switch
{
    ["scale", ..] => await ScaleMeasurement.UsersAsync(args[1..]),
    ["projects", ..] => await ScaleMeasurement.ProjectsAsync(args[1..]),
    ["cluster", ..] => await ClusterMeasurement.RunAsync(args[1..]),
    ["reports", ..] => await ReportMeasurement.RunAsync(args[1..]),
    ["verify"] => await VerifyMeasurement.RunAsync(),
    _ => BenchmarkSwitcher.FromAssembly(typeof(ScaleMeasurement).Assembly).Run(args).Any() ? 0 : 1,
};
