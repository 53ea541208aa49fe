var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddBlobArchiver();

var app = builder.Build();
app.UseProblemAnswers();
app.MapDefaultEndpoints();
app.MapBlobArchiver();
app.Run();
