using AuditCli.Benchmarks;
using BenchmarkDotNet.Running;

// dotnet run -c Release --project tests/AuditCli.Benchmarks -- scale 20000 200000 [CONTROL]
// dotnet run -c Release --project tests/AuditCli.Benchmarks -- --filter '*'
return args is ["scale", ..] ? await ScaleMeasurement.RunAsync(args[1..]) : BenchmarkSwitcher.FromAssembly(typeof(ScaleMeasurement).Assembly).Run(args).Any() ? 0 : 1;
