var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddMetrics();

var app = builder.Build();
app.MapDefaultEndpoints();
app.MapMetrics();
app.Run();
