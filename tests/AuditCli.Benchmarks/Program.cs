using AuditCli.Benchmarks;
using BenchmarkDotNet.Running;

// dotnet run -c Release --project tests/AuditCli.Benchmarks -- scale 20000 200000 [CONTROL]
// dotnet run -c Release --project tests/AuditCli.Benchmarks -- cluster 2000 20000
// dotnet run -c Release --project tests/AuditCli.Benchmarks -- --filter '*'
return args switch
{
    ["scale", .. var rest] => await ScaleMeasurement.RunAsync(rest),
    ["cluster", .. var rest] => await ClusterMeasurement.RunAsync(rest),
    _ => BenchmarkSwitcher.FromAssembly(typeof(ScaleMeasurement).Assembly).Run(args).Any() ? 0 : 1,
};
