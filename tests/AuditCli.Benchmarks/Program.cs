using System.Globalization;
using AuditCli.Benchmarks;
using BenchmarkDotNet.Running;

// dotnet run -c Release --project tests/AuditCli.Benchmarks -- scale 20000 200000 [CONTROL]
// dotnet run -c Release --project tests/AuditCli.Benchmarks -- projects 200 2000 [CONTROL]
// dotnet run -c Release --project tests/AuditCli.Benchmarks -- cluster 2000 20000
// dotnet run -c Release --project tests/AuditCli.Benchmarks -- verify
// dotnet run -c Release --project tests/AuditCli.Benchmarks -- catalogue ec2 sagemaker iam kms s3
// dotnet run -c Release --project tests/AuditCli.Benchmarks -- aws
// dotnet run -c Release --project tests/AuditCli.Benchmarks -- reports 20000 200000
// dotnet run -c Release --project tests/AuditCli.Benchmarks -- accounts 10 50 [--delay 150] [--nofile 1024]
// dotnet run -c Release --project tests/AuditCli.Benchmarks -- compare 137486b 20 [--delay 150] [--rounds 3]
// dotnet run -c Release --project tests/AuditCli.Benchmarks -- keep 100000 1000000
// dotnet run -c Release --project tests/AuditCli.Benchmarks -- --filter '*'
return args switch
{
    ["scale", ..] => await ScaleMeasurement.UsersAsync(args[1..]),
    ["projects", ..] => await ScaleMeasurement.ProjectsAsync(args[1..]),
    ["cluster", ..] => await ClusterMeasurement.RunAsync(args[1..]),
    ["accounts", ..] => await AccountsMeasurement.RunAsync(args[1..]),
    ["compare", _, ..] => await AccountsMeasurement.CompareAsync(args[1..]),
    ["aws"] => await AwsMeasurement.RunAsync(),
    ["aws-client", ..] => await AwsClientProcess.RunAsync(args[1..]),
    ["aws-server", ..] => await StaticServerProcess.RunAsync(args[1..]),
    ["reports", ..] => await ReportMeasurement.RunAsync(args[1..]),
    ["verify"] => await VerifyMeasurement.RunAsync(),
    ["keep", ..] => await KeepMeasurement.RunAsync(args[1..]),
    ["keep-once", var filter, var count] => await KeepMeasurement.OnceAsync(filter == "keep", int.Parse(count, CultureInfo.InvariantCulture)),
    ["catalogue", .. var services] => await CatalogueMeasurement.RunAsync(services),
    ["catalogue-once", var service] => CatalogueMeasurement.Once(service),
    _ => BenchmarkSwitcher.FromAssembly(typeof(ScaleMeasurement).Assembly).Run(args).Any() ? 0 : 1,
};
